#include "object/history.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "arch/time.h"
#include "mm/object_cache.h"
#include "object/budget.h"
#include "sync/hart.h"

namespace {

// The fields of an event's words, from the lowest bit. Larger values are cut, which for a thread's
// or a process's id takes 2^36 objects and for the clock decades.
constexpr unsigned kWhatBits = 3;
constexpr unsigned kHartBits = 5;
constexpr unsigned kCountBits = 24;
constexpr unsigned kRightsBits = 12;

static_assert(kMaxHarts <= 1u << kHartBits);
static_assert(KRIGHT_ALL < 1u << kRightsBits);

constexpr uint64_t low(uint64_t value, unsigned bits) {
    return value & ((uint64_t{1} << bits) - 1);
}

}  // namespace

const char* name_of(ReferenceEvent event) {
    static constexpr const char* kNames[] = {"init", "get", "put", "last put"};
    return kNames[static_cast<uint32_t>(event) % std::size(kNames)];
}

const char* name_of(TransferEvent event) {
    static constexpr const char* kNames[] = {"take",    "enqueue", "deliver",
                                             "install", "restore", "drop"};
    return kNames[static_cast<uint32_t>(event) % std::size(kNames)];
}

// ---- Memory -------------------------------------------------------------------------------------

static constinit mm::ObjectCache<ObjectHistory> history_cache;
static constinit mm::ObjectCache<EventRing<ObjectHistory::kTransferEvents, 3>> transfers_cache;

ObjectHistory* ObjectHistory::allocate() {
    void* cell = history_cache.allocate();
    return cell == nullptr ? nullptr : new (cell) ObjectHistory;
}

void ObjectHistory::free(ObjectHistory* history) {
    if (history == nullptr) return;
    if (Transfers* transfers = history->transfers_.load(std::memory_order_acquire)) {
        transfers->~Transfers();
        transfers_cache.free(transfers);
    }
    history->~ObjectHistory();
    history_cache.free(history);
}

uint64_t ObjectHistory::transfer_bytes() const {
    return transfers_.load(std::memory_order_relaxed) == nullptr ? 0 : sizeof(Transfers);
}

ObjectHistory::Transfers* ObjectHistory::transfers_for_writing(Budget* budget) {
    Transfers* there = transfers_.load(std::memory_order_acquire);
    if (there != nullptr || budget == nullptr || !budget->take(sizeof(Transfers))) return there;
    void* cell = transfers_cache.allocate();
    if (cell != nullptr) {
        Transfers* fresh = new (cell) Transfers;
        if (transfers_.compare_exchange_strong(there, fresh, std::memory_order_acq_rel)) {
            return fresh;
        }
        transfers_cache.free(fresh);  // another hart was first
    }
    budget->put(sizeof(Transfers));
    return there;
}

// ---- Events -------------------------------------------------------------------------------------

void ObjectHistory::record(ReferenceEvent event, uint32_t references) {
    const uint64_t when = arch::ticks() << (kWhatBits + kHartBits);
    const uint64_t hart = uint64_t{this_hart().index.value} << kWhatBits;
    references_.record({{when | hart | static_cast<uint64_t>(event),
                         current_thread_id() << kCountBits | low(references, kCountBits)}});
}

void ObjectHistory::record(TransferEvent event, uint64_t from, uint64_t to, Rights rights,
                           Budget* budget) {
    Transfers* transfers = transfers_for_writing(budget);
    if (transfers == nullptr) return;
    transfers->record({{arch::ticks() << kWhatBits | static_cast<uint64_t>(event),
                        from << kRightsBits | rights.bits(), to}});
}

uint32_t ObjectHistory::references(kairos_info_reference_event (&out)[kReferenceEvents]) const {
    References::Event events[kReferenceEvents];
    const uint32_t count = references_.read(events);
    std::transform(events, events + count, out, [](const References::Event& event) {
        const uint64_t first = event.words[0];
        const uint64_t second = event.words[1];
        return kairos_info_reference_event{
            .time = arch::instant_of(first >> (kWhatBits + kHartBits)).nanoseconds,
            .hart = static_cast<uint32_t>(low(first >> kWhatBits, kHartBits)),
            .what = static_cast<uint32_t>(low(first, kWhatBits)),
            .thread_id = second >> kCountBits,
            .references = static_cast<uint32_t>(low(second, kCountBits)),
            .reserved = 0};
    });
    return count;
}

uint32_t ObjectHistory::transfers(kairos_info_transfer_event (&out)[kTransferEvents]) const {
    const Transfers* transfers = transfers_.load(std::memory_order_acquire);
    if (transfers == nullptr) return 0;
    Transfers::Event events[kTransferEvents];
    const uint32_t count = transfers->read(events);
    std::transform(events, events + count, out, [](const Transfers::Event& event) {
        return kairos_info_transfer_event{
            .time = arch::instant_of(event.words[0] >> kWhatBits).nanoseconds,
            .from_process = event.words[1] >> kRightsBits,
            .to_process = event.words[2],
            .what = static_cast<uint32_t>(low(event.words[0], kWhatBits)),
            .rights = static_cast<uint32_t>(low(event.words[1], kRightsBits))};
    });
    return count;
}
