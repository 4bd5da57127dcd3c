// ObjectHistory: what has happened to an object lately: the last 16 events of its references and
// the last 32 of its handles' travels. It lies beside the object, out of its cache lines, and is
// charged with it. The part for travels is allocated when the object first travels, so what never
// moves does not pay for it; if there is no memory then, its travels are not remembered.
//
// A reference event is what makes an object live longer than the call in progress: its creation,
// owners coming and going, what other objects keep of it, and its last reference, whose ever that
// was. What a call counts while it runs is in the numbers but is no event; so sending and receiving
// record nothing, and looking at an object does not wipe out what it is looked at for.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "abi/info.h"
#include "base/event_ring.h"
#include "base/types.h"

class Budget;

enum class ReferenceEvent : uint8_t { kInit, kGet, kPut, kLastPut };
enum class TransferEvent : uint8_t { kTake, kEnqueue, kDeliver, kInstall, kRestore, kDrop };

const char* name_of(ReferenceEvent event);
const char* name_of(TransferEvent event);

class ObjectHistory {
  public:
    static constexpr uint32_t kReferenceEvents = KAIROS_REFERENCE_EVENTS;
    static constexpr uint32_t kTransferEvents = KAIROS_TRANSFER_EVENTS;

    // Null when there is no memory.
    static ObjectHistory* allocate();
    static void free(ObjectHistory* history);

    // `references` is how many there are afterwards.
    void record(ReferenceEvent event, uint32_t references);
    // Processes are named by their ids, 0 for none. `budget` is the object's.
    void record(TransferEvent event, uint64_t from, uint64_t to, Rights rights, Budget* budget);

    // Oldest first; how many.
    uint32_t references(kairos_info_reference_event (&out)[kReferenceEvents]) const;
    uint32_t transfers(kairos_info_transfer_event (&out)[kTransferEvents]) const;

    // Taken from the object's budget for its travels; to be put back with the object.
    uint64_t transfer_bytes() const;

  private:
    using References = EventRing<kReferenceEvents, 2>;
    using Transfers = EventRing<kTransferEvents, 3>;

    Transfers* transfers_for_writing(Budget* budget);

    References references_;
    std::atomic<Transfers*> transfers_{nullptr};
};
