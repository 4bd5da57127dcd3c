// What handles, their lineage and queues of messages are, said plainly: a forest of handles, each
// in a table or in a queue. model_handles.cpp compares the kernel with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "object/handle_table.h"

namespace ipc_test {

inline constexpr int kPrograms = 3;

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
    uint64_t id = 0;
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
    template <typename Visit>
    void for_each_handle_of(const ModelObject& object, Visit visit) const {
        for (const auto& handle : handles_) {
            if (handle->object == &object) visit(*handle);
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

}  // namespace ipc_test
