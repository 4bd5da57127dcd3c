// Transit: what an endpoint knows of handles on their way in messages.
//
// A handle that lies in a queue owns its object like one in a table. Endpoints that lie in each
// other's queues would therefore keep each other for ever; object/collection.h finds them, by what
// is counted here and by the carriers that the handles name (object/cap.h).
//
//     carrier   of a handle in a queue: the endpoint whose queue it is
//     held      an endpoint with an owner that is not in a queue
#pragma once

#include <atomic>
#include <cstdint>

class Object;

class Transit {
  public:
    // Handles to this endpoint that lie in queues.
    uint32_t in_flight() const { return in_flight_.load(std::memory_order_seq_cst); }
    // Handles to endpoints that lie in the queue of this one.
    uint32_t load() const { return load_.load(std::memory_order_seq_cst); }

  private:
    friend class Lineage;
    friend class Collection;

    // Who changes one of these looks at the owners afterwards, and who changes the owners looks at
    // these: both in one total order, so that of two who change something one sees it all.
    std::atomic<uint32_t> in_flight_{0};
    std::atomic<uint32_t> load_{0};
    // How often a handle to it has come out of a queue; guarded by the lineage lock.
    uint32_t arrivals_ = 0;

    // Guarded by the collection's lock.
    bool suspected_ = false;
    uint32_t arrivals_seen_ = 0;
    uint64_t visited_by_ = 0;  // the last search that came by
    Object* next_suspect_ = nullptr;
    Object* next_visited_ = nullptr;
};
