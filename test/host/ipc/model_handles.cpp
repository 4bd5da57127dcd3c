// Handles, their lineage and channels, of three programs that send each other what they have,
// against a reference that says it plainly: a forest of handles, each in a table or in a queue.
// Random calls; after each, everything that can be seen is compared.
#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "explorer.h"
#include "ipc/channel.h"
#include "ipc/event.h"

using namespace ipc_test;

namespace {

constexpr int kPrograms = 3;
constexpr uint32_t kEnough = 7;  // handles of a program, above which it makes no new ones

// ---- The reference ------------------------------------------------------------------------------

struct ModelObject;

struct ModelHandle {
    ModelObject* object;
    uint32_t rights;
    ModelHandle* parent = nullptr;
    std::set<ModelHandle*> children = {};
    int table = -1;  // of which program; -1: in a queue
    ModelObject* in_queue = nullptr;
    HandleValue value = 0;
};

struct ModelMessage {
    uint64_t value;
    std::vector<ModelHandle*> handles;  // null: revoked on the way
};

// An event, or one end of a channel.
struct ModelObject {
    bool is_endpoint = false;
    ModelObject* peer = nullptr;  // null: closed
    bool open = true;
    std::deque<ModelMessage> queue = {};
    uint32_t handles = 0;
    uint64_t reached_by = 0;  // the last search that came by
};

class Reference {
  public:
    std::map<HandleValue, ModelHandle*> tables[kPrograms];

    ModelHandle* find(int program, HandleValue value) {
        const auto found = tables[program].find(value);
        return found == tables[program].end() ? nullptr : found->second;
    }
    ModelObject& make_object() { return objects_.emplace_back(); }
    ModelHandle& make_handle(ModelObject& object, uint32_t rights, ModelHandle* parent) {
        ModelHandle& handle = *handles_.emplace_back(
            std::make_unique<ModelHandle>(ModelHandle{.object = &object, .rights = rights}));
        handle.parent = parent;
        if (parent != nullptr) parent->children.insert(&handle);
        ++object.handles;
        return handle;
    }
    void enter(ModelHandle& handle, int program, HandleValue value) {
        handle.in_queue = nullptr;
        handle.table = program;
        handle.value = value;
        tables[program][value] = &handle;
    }
    void leave(ModelHandle& handle) {
        tables[handle.table].erase(handle.value);
        handle.table = -1;
    }
    // Its children become its parent's.
    void close(ModelHandle& handle) {
        for (ModelHandle* child : handle.children) child->parent = handle.parent;
        if (handle.parent != nullptr) {
            handle.parent->children.merge(handle.children);
            handle.parent->children.erase(&handle);
        }
        forget(handle);
    }
    void revoke_below(ModelHandle& top) {
        const std::set<ModelHandle*> children = top.children;
        for (ModelHandle* child : children) {
            revoke_below(*child);
            top.children.erase(child);
            forget(*child);
        }
    }
    // Ends what nobody can reach any more.
    void collect() {
        ++search_;
        for (const auto& table : tables) {
            for (const auto& [value, handle] : table) reach(*handle->object);
        }
        while (!to_visit_.empty()) {
            const ModelObject& object = *to_visit_.back();
            to_visit_.pop_back();
            for (const ModelMessage& message : object.queue) {
                for (const ModelHandle* handle : message.handles) {
                    if (handle != nullptr) reach(*handle->object);
                }
            }
        }
        for (ModelObject& object : objects_) {
            if (object.is_endpoint && object.open && object.reached_by != search_) end(object);
        }
        objects_.remove_if([&](const ModelObject& object) {
            return object.handles == 0 && object.reached_by != search_;
        });
    }
    size_t objects() const { return objects_.size(); }

  private:
    void reach(ModelObject& object) {
        if (std::exchange(object.reached_by, search_) != search_) to_visit_.push_back(&object);
    }
    void forget(ModelHandle& handle) {
        if (handle.table >= 0) leave(handle);
        if (handle.in_queue != nullptr) {
            for (ModelMessage& message : handle.in_queue->queue) {
                std::replace(message.handles.begin(), message.handles.end(), &handle,
                             static_cast<ModelHandle*>(nullptr));
            }
        }
        --handle.object->handles;
        std::erase_if(handles_, [&](const auto& owned) { return owned.get() == &handle; });
    }
    void end(ModelObject& endpoint) {
        endpoint.open = false;
        if (endpoint.peer != nullptr) endpoint.peer->peer = nullptr;
        for (ModelMessage& message : std::exchange(endpoint.queue, {})) {
            for (ModelHandle* handle : message.handles) {
                if (handle != nullptr) close(*handle);
            }
        }
    }

    std::list<ModelObject> objects_;
    uint64_t search_ = 0;
    std::vector<ModelObject*> to_visit_;
    std::vector<std::unique_ptr<ModelHandle>> handles_;
};

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
