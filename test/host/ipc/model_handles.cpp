// Handles, their lineage and channels, of three programs that send each other what they have,
// against a reference that says it plainly: a forest of handles, each in a table or in a queue.
// Random calls; after each, everything that can be seen is compared.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "explorer.h"
#include "handle_reference.h"
#include "ipc/channel.h"
#include "ipc/event.h"
#include "object/lineage.h"

using namespace ipc_test;

namespace {

constexpr uint32_t kEnough = 7;  // handles of a program, above which it makes no new ones

// ---- The kernel beside it -----------------------------------------------------------------------

class Comparison {
  public:
    Comparison(Budget& root, uint64_t seed) : root_(root), random_(seed) {
        hosted::run_to_quiet();
        for (auto& program : programs_) {
            program = std::make_unique<Program>(root);
            letters_.emplace_back(*program);
            outs_.push_back(&program->make<std::array<HandleValue, 2>>());
        }
        objects_before_ = ObjectRegistry::count();
    }

    void step() {
        const int who = static_cast<int>(below(kPrograms));
        switch (below(16)) {
            case 0:
                return create_event(who);
            case 1:
                return create_channel(who);
            case 2:
            case 3:
                return duplicate(who);
            case 4:
                return close(who, 0);
            case 5:
                return close(who, KHANDLE_CLOSE_F_REVOKE_DESCENDANTS);
            case 6:
                return revoke(who);
            case 7:
                return limit(who);
            case 8:
                return move(who, static_cast<int>(below(kPrograms)));
            case 9:
            case 10:
            case 11:
            case 12:
                return send(who);
            default:
                return receive(who);
        }
    }

    void compare() {
        reference_.collect();
        for (int i = 0; i < kPrograms; ++i) compare_table(i);
        compare_holders(static_cast<int>(below(kPrograms)));
        same(ObjectRegistry::count(), objects_before_ + reference_.objects());
    }

    void finish() {
        for (int i = 0; i < kPrograms; ++i) {
            while (!reference_.tables[i].empty()) {
                ModelHandle& handle = *reference_.tables[i].begin()->second;
                same(programs_[i]->call(Call::handle_close, handle.value, 0), 0);
                reference_.close(handle);
            }
        }
        compare();
        same(reference_.objects(), 0);
    }

  private:
    uint64_t below(uint64_t limit) { return random_() % limit; }

    // A handle that the program has; now and then a value that it has not.
    HandleValue any(int who) {
        const auto& table = reference_.tables[who];
        if (table.empty() || below(40) == 0) return static_cast<HandleValue>(random_());
        auto at = table.begin();
        std::advance(at, below(table.size()));
        return at->first;
    }
    // The same, but an endpoint if there is one.
    HandleValue any_endpoint(int who) {
        for (int tries = 0; tries < 6; ++tries) {
            const HandleValue value = any(who);
            const ModelHandle* handle = reference_.find(who, value);
            if (handle != nullptr && handle->object->is_endpoint) return value;
        }
        return any(who);
    }

    void create_event(int who) {
        if (reference_.tables[who].size() >= kEnough) return;
        HandleValue& out = (*outs_[who])[0];
        same(programs_[who]->call(Call::event_create, programs_[who]->address(&out)), 0);
        ModelObject& object = reference_.make_object();
        object.id = id_of(who, out);
        reference_.enter(reference_.make_handle(object, Event::kInitialRights.bits(), nullptr), who,
                         out);
    }

    void create_channel(int who) {
        if (reference_.tables[who].size() >= kEnough) return;
        auto& out = *outs_[who];
        same(programs_[who]->call(Call::channel_create, 0, programs_[who]->address(&out[0]),
                                  programs_[who]->address(&out[1])),
             0);
        ModelObject* ends[2] = {&reference_.make_object(), &reference_.make_object()};
        for (int i = 0; i < 2; ++i) {
            ends[i]->is_endpoint = true;
            ends[i]->peer = ends[1 - i];
            ends[i]->id = id_of(who, out[i]);
            reference_.enter(
                reference_.make_handle(*ends[i], Endpoint::kInitialRights.bits(), nullptr), who,
                out[i]);
        }
    }

    void duplicate(int who) {
        if (reference_.tables[who].size() >= kEnough) return;
        const HandleValue source = any(who);
        const uint32_t wanted =
            below(2) == 0 ? KRIGHT_SAME : static_cast<uint32_t>(random_() | random_()) & KRIGHT_ALL;
        HandleValue& out = (*outs_[who])[0];
        const int64_t result = programs_[who]->call(Call::handle_duplicate, source, wanted,
                                                    programs_[who]->address(&out));
        ModelHandle* handle = reference_.find(who, source);
        const bool all = wanted == KRIGHT_SAME;
        if (wanted == 0) {
            same(result, failure(Error::INVAL));
        } else if (handle == nullptr) {
            same(result, failure(Error::BADF));
        } else if ((handle->rights & KRIGHT_DUPLICATE) == 0 ||
                   (!all && (wanted & ~handle->rights) != 0)) {
            same(result, failure(Error::ACCES));
        } else {
            same(result, 0);
            const uint32_t rights = all ? handle->rights : wanted;
            reference_.enter(reference_.make_handle(*handle->object, rights, handle), who, out);
        }
    }

    void close(int who, uint32_t flags) {
        const HandleValue value = any(who);
        const int64_t result = programs_[who]->call(Call::handle_close, value, flags);
        ModelHandle* handle = reference_.find(who, value);
        same(result, (handle == nullptr ? failure(Error::BADF) : 0));
        if (handle == nullptr) return;
        if (flags != 0) reference_.revoke_below(*handle);
        reference_.close(*handle);
    }

    void revoke(int who) {
        const HandleValue value = any(who);
        const int64_t result = programs_[who]->call(Call::handle_revoke, value);
        ModelHandle* handle = reference_.find(who, value);
        same(result, (handle == nullptr ? failure(Error::BADF) : 0));
        if (handle != nullptr) reference_.revoke_below(*handle);
    }

    void limit(int who) {
        const HandleValue value = any(who);
        const auto wanted = static_cast<uint32_t>(random_() | random_() | random_()) & KRIGHT_ALL;
        const int64_t result = programs_[who]->call(Call::cap_rights_limit, value, wanted);
        ModelHandle* handle = reference_.find(who, value);
        if (wanted == 0) {
            same(result, failure(Error::INVAL));
        } else if (handle == nullptr) {
            same(result, failure(Error::BADF));
        } else if ((wanted & ~handle->rights) != 0) {
            same(result, failure(Error::ACCES));
        } else {
            same(result, 0);
            handle->rights = wanted;
        }
    }

    // From table to table, as starting a process does, so that channels connect programs.
    void move(int who, int whom) {
        if (reference_.tables[whom].size() >= kEnough) return;
        const HandleValue value = any(who);
        ModelHandle* handle = reference_.find(who, value);
        TransferReservation leaving;
        const Status reserved =
            programs_[who]->handles().reserve_transfer({&value, 1}, nullptr, nullptr, leaving);
        if (handle == nullptr || (handle->rights & KRIGHT_TRANSFER) == 0) {
            same(reserved.ok(), false);
            return;
        }
        same(reserved.ok(), true);
        if (below(4) == 0) return;  // and comes back
        CapChain chain = leaving.commit();
        reference_.leave(*handle);
        reference_.enter(*handle, whom,
                         programs_[whom]->handles().insert(chain.pop_front()).take());
    }

    // The contract's order: what the handles to be moved lack, then the channel's state.
    int64_t expected_of_send(int who, HandleValue through, const Letter& letter, uint64_t txid) {
        const ModelHandle* handle = reference_.find(who, through);
        if (handle == nullptr) return failure(Error::BADF);
        if (!handle->object->is_endpoint) return failure(Error::NOTSUP);
        if ((handle->rights & KRIGHT_WRITE) == 0) return failure(Error::ACCES);
        const ModelObject& endpoint = *handle->object;
        const uint32_t count = letter.message.num_handles;
        for (uint32_t i = 0; i < count; ++i) {
            const ModelHandle* moved = reference_.find(who, letter.handles[i]);
            if (moved == nullptr) return failure(Error::BADF);
            if ((moved->rights & KRIGHT_TRANSFER) == 0) return failure(Error::ACCES);
        }
        for (uint32_t i = 0; i < count; ++i) {
            const ModelHandle* moved = reference_.find(who, letter.handles[i]);
            if (moved->object == &endpoint || moved->object == endpoint.peer) {
                return failure(Error::INVAL);
            }
            for (uint32_t j = 0; j < i; ++j) {
                if (letter.handles[i] == letter.handles[j]) return failure(Error::INVAL);
            }
        }
        if (endpoint.peer == nullptr) return failure(Error::PIPE);
        if (txid != 0) return 0;
        if (endpoint.peer->queue.size() == KCHANNEL_MAX_QUEUE) return failure(Error::AGAIN);
        return 0;
    }

    void send(int who) {
        Letter& letter = letters_[who];
        const uint64_t value = random_();
        letter.set(value);
        const HandleValue through = any_endpoint(who);
        for (uint64_t count = below(4) == 0 ? below(5) : below(2); count > 0; --count) {
            letter.add(any(who));
        }
        const uint64_t txid = below(30) == 0 ? random_() : 0;  // nobody waits for it
        letter.message.txid = txid;
        const std::vector<HandleValue> moved(letter.handles.begin(),
                                             letter.handles.begin() + letter.message.num_handles);
        const int64_t expected = expected_of_send(who, through, letter, txid);
        const uint32_t options = KCHANNEL_OPT_NONBLOCK | (below(2) * KCHANNEL_OPT_RENDEZVOUS);
        same(programs_[who]->call(Call::channel_send, through, letter.address(), options, 0),
             expected);
        if (expected != 0) return;
        ModelObject& endpoint = *reference_.find(who, through)->object;
        ModelMessage message{.value = value, .handles = {}};
        for (const HandleValue each : moved) {
            ModelHandle& handle = *reference_.find(who, each);
            reference_.leave(handle);
            message.handles.push_back(&handle);
        }
        if (txid == 0) {
            for (ModelHandle* handle : message.handles) handle->in_queue = endpoint.peer;
            endpoint.peer->queue.push_back(std::move(message));
        } else {
            for (ModelHandle* handle : message.handles) reference_.close(*handle);
        }
    }

    void receive(int who) {
        Letter& letter = letters_[who];
        letter.clear();
        const HandleValue through = any_endpoint(who);
        const auto room = static_cast<uint32_t>(below(5));
        letter.message.num_handles = room;
        letter.message.num_bytes = below(10) == 0 ? 4 : 8;
        const uint32_t bytes = letter.message.num_bytes;
        const int64_t result = programs_[who]->call(Call::channel_recv, through, letter.address(),
                                                    KCHANNEL_OPT_NONBLOCK, 0);
        ModelHandle* handle = reference_.find(who, through);
        if (handle == nullptr) {
            same(result, failure(Error::BADF));
        } else if (!handle->object->is_endpoint) {
            same(result, failure(Error::NOTSUP));
        } else if ((handle->rights & KRIGHT_READ) == 0) {
            same(result, failure(Error::ACCES));
        } else if (handle->object->queue.empty()) {
            same(result, (handle->object->peer == nullptr ? 0 : failure(Error::AGAIN)));
        } else {
            ModelMessage& first = handle->object->queue.front();
            const bool fits = bytes >= 8 && room >= first.handles.size();
            same(result, (fits ? 1 : failure(Error::MSGSIZE)));
            same(letter.message.num_bytes, 8);
            same(letter.message.num_handles, first.handles.size());
            if (!fits) return;
            same(letter.value(), first.value);
            same(letter.message.txid, 0);
            for (size_t i = 0; i < first.handles.size(); ++i) {
                same((letter.handles[i] == 0), (first.handles[i] == nullptr));
                if (first.handles[i] == nullptr) continue;
                same(reference_.find(who, letter.handles[i]) == nullptr, true);
                reference_.enter(*first.handles[i], who, letter.handles[i]);
            }
            handle->object->queue.pop_front();
        }
    }

    void compare_table(int who) {
        HandleTable& table = programs_[who]->handles();
        same(table.used(), reference_.tables[who].size());
        for (const auto& [value, handle] : reference_.tables[who]) {
            auto found = table.find(value);
            same(found.ok(), true);
            same((*found).rights.bits(), handle->rights);
            const kairos_info_lineage lineage = table.describe_lineage(value).take();
            same(lineage.children, handle->children.size());
            same(lineage.revoked, 0);
            same((lineage.parent_id == 0), (handle->parent == nullptr));
            if (handle->parent != nullptr && handle->parent->table >= 0) {
                const ModelHandle& parent = *handle->parent;
                HandleTable& parents = programs_[parent.table]->handles();
                same(lineage.parent_id, parents.describe_lineage(parent.value).take().cap_id);
            }
            if (handle->object->is_endpoint) compare_endpoint(*(*found).object, *handle->object);
        }
    }

    uint64_t id_of(int who, HandleValue value) {
        return static_cast<uint64_t>((*programs_[who]->handles().find(value)).object->id());
    }

    // Where a handle is: its process, its value there, or the endpoint that it lies queued at.
    using Place = std::tuple<uint64_t, uint32_t, uint64_t>;
    // What a list of holders says of a handle: where it is, where the one above it is, how many are
    // above it, its rights.
    using Line = std::tuple<Place, Place, uint32_t, uint32_t>;

    Place place_of(const ModelHandle& handle) {
        if (handle.table < 0) return {0, 0, handle.in_queue->id};
        return {static_cast<uint64_t>(programs_[handle.table]->process().id()), handle.value, 0};
    }
    Line line_of(const ModelHandle& handle) {
        uint32_t depth = 0;
        for (const ModelHandle* at = handle.parent; at != nullptr; at = at->parent) ++depth;
        const Place above = depth == 0 ? Place{} : place_of(*handle.parent);
        return {place_of(handle), above, depth, handle.rights};
    }
    // The tree of an object to which the program has a handle.
    void compare_holders(int who) {
        const HandleValue value = any(who);
        const ModelHandle* handle = reference_.find(who, value);
        if (handle == nullptr) return;
        std::multiset<Line> expected;
        reference_.for_each_handle_of(
            *handle->object, [&](const ModelHandle& each) { expected.insert(line_of(each)); });
        std::multiset<Line> listed;
        std::map<uint64_t, Place> places{{0, Place{}}};
        Object& object = *(*programs_[who]->handles().find(value)).object;
        LineageWalk walk(object, nullptr);
        while (walk.step()) {
            kairos_handle_entry entry{};
            if (!walk.first_time_here()) continue;
            if (!Lineage::describe_place(*walk.cap(), object, entry)) continue;
            const bool queued = entry.place == KAIROS_PLACE_IN_FLIGHT;
            const Place place{queued ? 0 : entry.process_id, entry.value, entry.carrier_id};
            places[entry.cap_id] = place;
            same(places.count(entry.parent_id), 1);
            listed.insert({place, places[entry.parent_id], walk.depth(), entry.rights});
        }
        same(listed == expected, true);
    }

    static void compare_endpoint(Object& object, const ModelObject& expected) {
        const kairos_info_channel info = static_cast<Endpoint&>(object).describe();
        same(info.queued, expected.queue.size());
        same(info.owners_handle, expected.handles);
        uint32_t ready = 0;
        if (!expected.queue.empty()) ready |= KAIROS_POLLIN;
        if (expected.peer == nullptr) ready |= KAIROS_POLLHUP;
        if (expected.peer != nullptr && expected.peer->queue.size() < KCHANNEL_MAX_QUEUE) {
            ready |= KAIROS_POLLOUT;
        }
        same(info.hints, ready);
    }

    Budget& root_;
    std::mt19937_64 random_;
    std::unique_ptr<Program> programs_[kPrograms];
    std::vector<Letter> letters_;
    std::vector<std::array<HandleValue, 2>*> outs_;
    Reference reference_;
    uint64_t objects_before_ = 0;
};

}  // namespace

TEST_CASE("model: handles, lineage and channels of three programs") {
    const NothingLeft nothing_left;
    for (const uint64_t seed : seeds()) {
        CAPTURE(seed);
        Comparison comparison(nothing_left.root(), seed);
        const uint64_t steps = 70'000 * effort();
        for (uint64_t step = 0; step < steps; ++step) {
            CAPTURE(step);
            comparison.step();
            comparison.compare();
        }
        comparison.finish();
    }
}
