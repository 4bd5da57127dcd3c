// MappingSet: the mappings of an address space by address; they never overlap. Records only: knows
// no page table, owns no memory, takes no lock. Guarded by the address space's lock.
#pragma once

#include "memory/mapping.h"

class MappingSet {
  public:
    // The mapping that covers an address, or null.
    Mapping* at(VirtualAddress address) const;
    // The lowest mapping that begins at or above an address.
    Mapping* from(VirtualAddress address) const { return tree_.lower_bound(address.value); }
    // The lowest mapping that has a part in [start, end), or null.
    Mapping* first_in(VirtualAddress start, VirtualAddress end) const;

    // The range of `mapping` is free.
    void insert(Mapping& mapping) { tree_.insert(mapping); }
    void remove(Mapping& mapping) { tree_.remove(mapping); }
    // Cuts a mapping in two at `border`, which lies inside it; `upper` becomes the second part.
    void split(Mapping& mapping, VirtualAddress border, Mapping& upper);
    // Takes the part below `border`, which lies inside the mapping, away from it. Its place among
    // the others stays: nobody begins between the old start and the new one.
    static void cut_off_front(Mapping& mapping, VirtualAddress border);

  private:
    Tree<Mapping, &Mapping::node, Mapping::StartOf> tree_;
};

// A search for the first free range of some length: upwards from a given place, to the end of the
// user addresses that the kernel chooses from, and then from their beginning. It can be done in
// pieces; what changes in between may be missed, so whoever finds a range checks and uses it under
// one hold of the lock.
class RoomSearch {
  public:
    // Addresses that the kernel chooses lie above this; fixed ones are usually below.
    static constexpr VirtualAddress kBegin{uint64_t{1} << 32};

    RoomSearch(VirtualAddress from, uint64_t length);

    enum class Outcome { kFound, kGoOn, kNoRoom };
    // Passes at most `limit` mappings.
    Outcome step(const MappingSet& mappings, uint32_t limit);
    // Once found.
    VirtualAddress place() const { return at_; }

  private:
    const uint64_t length_;
    VirtualAddress at_;
    bool wrapped_ = false;
};
