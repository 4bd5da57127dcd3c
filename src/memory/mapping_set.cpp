#include "memory/mapping_set.h"

#include "arch/paging.h"

Mapping* MappingSet::at(VirtualAddress address) const {
    Mapping* mapping = tree_.at_or_below(address.value);
    return mapping != nullptr && address < mapping->end() ? mapping : nullptr;
}

Mapping* MappingSet::first_in(VirtualAddress start, VirtualAddress end) const {
    Mapping* mapping = at(start);
    if (mapping == nullptr) mapping = from(start);
    return mapping != nullptr && mapping->start < end ? mapping : nullptr;
}

void MappingSet::split(Mapping& mapping, VirtualAddress border, Mapping& upper) {
    check(mapping.start < border && border < mapping.end(), "split a mapping outside of it");
    upper.start = border;
    upper.length = mapping.end() - border;
    upper.view = mapping.view;
    upper.protection = mapping.protection;
    upper.touched_begin = std::max(mapping.touched_begin, border);
    upper.touched_end = mapping.touched_end;
    mapping.length = border - mapping.start;
    mapping.touched_end = std::min(mapping.touched_end, border);
    tree_.insert(upper);
}

void MappingSet::cut_off_front(Mapping& mapping, VirtualAddress border) {
    check(mapping.start < border && border < mapping.end(), "cut a mapping outside of it");
    mapping.length = mapping.end() - border;
    mapping.start = border;
    mapping.touched_begin = std::max(mapping.touched_begin, border);
}

RoomSearch::RoomSearch(VirtualAddress from, uint64_t length)
    : length_(length), at_(std::max(from, kBegin)) {}

RoomSearch::Outcome RoomSearch::step(const MappingSet& mappings, uint32_t limit) {
    if (length_ > arch::kUserEnd - kBegin.value) return Outcome::kNoRoom;
    for (uint32_t passed = 0; passed < limit; ++passed) {
        if (at_.value > arch::kUserEnd - length_) {
            if (wrapped_) return Outcome::kNoRoom;
            wrapped_ = true;
            at_ = kBegin;
        }
        const Mapping* taken = mappings.first_in(at_, at_ + length_);
        if (taken == nullptr) return Outcome::kFound;
        at_ = taken->end();
    }
    return Outcome::kGoOn;
}
