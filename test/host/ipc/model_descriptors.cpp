// Descriptors and handles of one program against a reference: a forest of nodes, each of which is a
// handle or a descriptor, with rights that shrink on the way down. Random calls; after each, all
// that can be seen is compared. And what descriptors mean for rights, for every set of them.
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "explorer.h"
#include "fd/file.h"
#include "ipc/channel.h"
#include "ipc/port.h"
#include "object/bridge.h"

using namespace ipc_test;

namespace {

// The three types, and their maps as the contract has them.
struct Map {
    ObjectType type;
    struct {
        uint32_t right;
        uint32_t from;
        uint32_t back;
    } entries[4];

    uint32_t to_descriptor(uint32_t rights) const {
        uint32_t result = 0;
        for (const auto& entry : entries) {
            if (entry.from != 0 && (rights & entry.from) != 0) result |= entry.right;
        }
        return result;
    }
    uint32_t to_handle(uint32_t rights, uint32_t ceiling) const {
        uint32_t result = 0;
        for (const auto& entry : entries) {
            if ((rights & entry.right) != 0) result |= entry.back;
        }
        return result & ceiling;
    }
};

constexpr Map kChannelMap{ObjectType::kChannel,
                          {{FD_RIGHT_READ, KRIGHT_READ, KRIGHT_READ},
                           {FD_RIGHT_WRITE, KRIGHT_WRITE, KRIGHT_WRITE},
                           {FD_RIGHT_DUP, KRIGHT_DUPLICATE, KRIGHT_DUPLICATE},
                           {}}};
constexpr Map kPortMap{ObjectType::kPort,
                       {{FD_RIGHT_READ, KRIGHT_WAIT, KRIGHT_WAIT},
                        {FD_RIGHT_IOCTL, KRIGHT_MANAGE, KRIGHT_MANAGE},
                        {FD_RIGHT_DUP, KRIGHT_DUPLICATE, KRIGHT_DUPLICATE},
                        {}}};
constexpr Map kFileMap{ObjectType::kFile,
                       {{FD_RIGHT_READ, KRIGHT_READ, KRIGHT_READ | KRIGHT_WAIT},
                        {FD_RIGHT_WRITE, KRIGHT_WRITE, KRIGHT_WRITE | KRIGHT_WAIT},
                        {FD_RIGHT_DUP, KRIGHT_DUPLICATE, KRIGHT_DUPLICATE | KRIGHT_TRANSFER},
                        {}}};

constexpr uint32_t kFdRights = FD_RIGHT_READ | FD_RIGHT_WRITE | FD_RIGHT_IOCTL | FD_RIGHT_DUP;

constexpr bool useful(uint32_t descriptor_rights) {
    return (descriptor_rights & ~FD_RIGHT_DUP) != 0;
}

// ---- The reference ------------------------------------------------------------------------------

struct Node {
    const Map* map;
    uint32_t rights;     // of the cap
    uint32_t fd_rights;  // of a descriptor
    uint32_t flags = 0;
    bool is_descriptor = false;
    bool revoked = false;  // a descriptor that has not been closed since
    Node* parent = nullptr;
    std::set<Node*> children = {};
};

class Reference {
  public:
    std::map<HandleValue, Node*> handles;
    std::map<int, Node*> descriptors;

    Node& add(const Node& node, Node* parent) {
        Node& added = *nodes_.emplace_back(std::make_unique<Node>(node));
        added.parent = parent;
        if (parent != nullptr) parent->children.insert(&added);
        return added;
    }
    // Its children become its parent's.
    void close(Node& node) {
        for (Node* child : node.children) {
            child->parent = node.parent;
            if (node.parent != nullptr) node.parent->children.insert(child);
        }
        if (node.parent != nullptr) node.parent->children.erase(&node);
        std::erase_if(nodes_, [&](const auto& owned) { return owned.get() == &node; });
    }
    void revoke_below(Node& top) {
        for (Node* child : std::exchange(top.children, {})) {
            revoke_below(*child);
            child->parent = nullptr;
            child->revoked = true;
            if (child->is_descriptor) continue;
            std::erase_if(handles, [&](const auto& entry) { return entry.second == child; });
            close(*child);
        }
    }
    int lowest_free(int from) const {
        while (descriptors.contains(from)) ++from;
        return from;
    }

  private:
    std::vector<std::unique_ptr<Node>> nodes_;
};

// ---- Both, side by side -------------------------------------------------------------------------

class Model {
  public:
    Model(Budget& root, uint64_t seed)
        : random_(seed), program_(root), out_(program_.make<std::array<uint32_t, 4>>()) {
        const Pair channel = make_channel(program_);
        add_root(channel.a, kChannelMap);
        add_root(channel.b, kChannelMap);
        add_root(make_port(program_), kPortMap);
        same(program_.call(Call::pipe, program_.address(&out_[0]), 0), 0);
        for (uint32_t i = 0; i < 2; ++i) {
            const uint32_t access = i == 0 ? KRIGHT_READ : KRIGHT_WRITE;
            const uint32_t rights = access | KRIGHT_TRANSFER | KRIGHT_DUPLICATE | KRIGHT_WAIT;
            Node& node = reference_.add({.map = &kFileMap,
                                         .rights = rights,
                                         .fd_rights = kFileMap.to_descriptor(rights),
                                         .is_descriptor = true},
                                        nullptr);
            reference_.descriptors[static_cast<int>(out_[i])] = &node;
        }
    }

    void step() {
        switch (below(10)) {
            case 0:
                return bridge();
            case 1:
                return way_back();
            case 2:
                return copy();
            case 3:
                return copy_onto();
            case 4:
                return close_descriptor();
            case 5:
                return limit();
            case 6:
                return change_flags();
            case 7:
                return duplicate();
            case 8:
                return close_handle();
            default:
                return below(4) == 0 ? revoke() : bridge();
        }
    }

    void compare() {
        same(program_.process().descriptors().used(), reference_.descriptors.size());
        for (const auto& [number, node] : reference_.descriptors) {
            const int64_t status =
                program_.call(Call::fd_rights_get, number, program_.address(&out_[0]));
            same(status, node->revoked ? failure(Error::BADF) : 0);
            if (!node->revoked) same(out_[0], node->fd_rights);
        }
        for (const auto& [value, node] : reference_.handles) {
            same(program_.call(Call::cap_rights_get, value, program_.address(&out_[0])), 0);
            same(out_[0], node->rights);
        }
        compare_lists();
    }

  private:
    static constexpr size_t kEnough = 14;

    // What is listed of the process from outside, and that each hangs below the right one.
    void compare_lists() {
        Process& process = program_.process();
        std::map<uint64_t, const Node*> nodes{{0, nullptr}};
        std::vector<std::pair<uint64_t, const Node*>> parents;
        const auto note = [&](uint32_t value, const Node& node, const kairos_handle_entry& entry) {
            same(entry.value, value);
            same(entry.rights, node.rights);
            same(entry.process_id, static_cast<uint64_t>(process.id()));
            nodes[entry.cap_id] = &node;
            parents.emplace_back(entry.parent_id, node.parent);
        };
        for (const auto& [value, node] : reference_.handles) {
            kairos_handle_entry entry{};
            same(process.handles().describe_slot(value % KHANDLE_MAX_PER_PROCESS, entry), true);
            same(entry.place, KAIROS_PLACE_HANDLE);
            note(value, *node, entry);
        }
        for (const auto& [number, node] : reference_.descriptors) {
            const auto place = static_cast<uint32_t>(number);
            kairos_handle_entry entry{};
            same(process.descriptors().describe_number(place, entry), !node->revoked);
            if (node->revoked) continue;
            same(entry.place, KAIROS_PLACE_DESCRIPTOR);
            note(place, *node, entry);
        }
        for (const auto& [parent_id, parent] : parents) {
            same(nodes.contains(parent_id), true);
            same(nodes[parent_id] == parent, true);
        }
    }

    void add_root(HandleValue value, const Map& map) {
        same(program_.call(Call::cap_rights_get, value, program_.address(&out_[0])), 0);
        reference_.handles[value] =
            &reference_.add({.map = &map, .rights = out_[0], .fd_rights = 0}, nullptr);
    }

    uint64_t below(uint64_t bound) { return random_() % bound; }
    uint32_t subset(uint32_t of) { return static_cast<uint32_t>(random_()) & of; }
    // One that there is, mostly.
    int some_number() {
        if (reference_.descriptors.empty() || below(20) == 0)
            return static_cast<int>(below(1030)) - 2;
        auto at = reference_.descriptors.begin();
        std::advance(at, below(reference_.descriptors.size()));
        return at->first;
    }
    HandleValue some_handle() {
        if (reference_.handles.empty()) return 0;
        auto at = reference_.handles.begin();
        std::advance(at, below(reference_.handles.size()));
        return at->first;
    }
    // Null: -EBADF.
    Node* usable(int number, uint32_t needed = 0) {
        const auto found = reference_.descriptors.find(number);
        if (found == reference_.descriptors.end() || found->second->revoked) return nullptr;
        return (found->second->fd_rights & needed) == needed ? found->second : nullptr;
    }

    void bridge() {
        if (reference_.descriptors.size() >= kEnough) return close_descriptor();
        const HandleValue value = some_handle();
        if (value == 0) return;
        Node& source = *reference_.handles[value];
        const uint32_t rights = source.map->to_descriptor(source.rights);
        const uint32_t flags = subset(KFD_NONBLOCK | KFD_CLOEXEC);
        int64_t expected = 0;
        if ((source.rights & KRIGHT_DUPLICATE) == 0 || !useful(rights)) {
            expected = failure(Error::ACCES);
        } else if ((flags & KFD_NONBLOCK) != 0 && source.map == &kFileMap) {
            expected = failure(Error::INVAL);
        }
        out_[0] = 77;
        same(program_.call(Call::fd_from_handle, value, flags, program_.address(&out_[0])),
             expected);
        if (expected != 0) return same(out_[0], 77u);
        same(out_[0], static_cast<uint32_t>(reference_.lowest_free(0)));
        reference_.descriptors[static_cast<int>(out_[0])] =
            &reference_.add({.map = source.map,
                             .rights = source.rights,
                             .fd_rights = rights,
                             .flags = flags,
                             .is_descriptor = true},
                            &source);
    }

    void way_back() {
        const int number = some_number();
        const bool all = below(2) == 0;
        const uint32_t wanted = all ? KRIGHT_SAME : subset(KRIGHT_ALL);
        Node* source = usable(number);
        int64_t expected = 0;
        uint32_t most = 0;
        if (wanted == 0) {
            expected = failure(Error::INVAL);
        } else if (source == nullptr) {
            expected = failure(Error::BADF);
        } else {
            most = source->map->to_handle(source->fd_rights, source->rights);
            if (!useful(source->fd_rights) || (!all && (wanted & ~most) != 0)) {
                expected = failure(Error::ACCES);
            }
        }
        same(program_.call(Call::handle_from_fd, number, wanted, program_.address(&out_[0])),
             expected);
        if (expected != 0) return;
        reference_.handles[out_[0]] = &reference_.add(
            {.map = source->map, .rights = all ? most : wanted, .fd_rights = 0}, source);
        if (reference_.handles.size() > kEnough) close_handle();
    }

    void add_copy(int number, Node& source, uint32_t flags) {
        reference_.descriptors[number] =
            &reference_.add({.map = source.map,
                             .rights = source.rights,
                             .fd_rights = source.fd_rights,
                             .flags = (source.flags & KFD_NONBLOCK) | flags,
                             .is_descriptor = true},
                            &source);
    }

    void copy() {
        const int number = some_number();
        const auto from = static_cast<int>(below(3) == 0 ? below(1100) : 0);
        const uint32_t flags = subset(KFD_CLOEXEC);
        Node* source = usable(number, FD_RIGHT_DUP);
        const int free = reference_.lowest_free(from);
        int64_t expected = free;
        if (from >= static_cast<int>(KFD_MAX_PER_PROCESS)) {
            expected = failure(Error::INVAL);
        } else if (source == nullptr) {
            expected = failure(Error::BADF);
        } else if (free >= static_cast<int>(KFD_MAX_PER_PROCESS)) {
            expected = failure(Error::MFILE);
        }
        same(program_.call(Call::fd_dup, number, from, flags), expected);
        if (expected < 0) return;
        add_copy(free, *source, flags);
        if (reference_.descriptors.size() > kEnough) close_descriptor();
    }

    void copy_onto() {
        const int number = some_number();
        const int to = below(2) == 0 ? some_number() : static_cast<int>(below(1030)) - 2;
        Node* source = usable(number, FD_RIGHT_DUP);
        const bool exists = to >= 0 && to < static_cast<int>(KFD_MAX_PER_PROCESS);
        const int64_t expected = source == nullptr || !exists ? failure(Error::BADF) : to;
        same(program_.call(Call::fd_dup2, number, to, 0), expected);
        if (expected < 0 || number == to) return;
        // The copy is made first: closing what was there may make it a child of something else.
        Node* before = reference_.descriptors.contains(to) ? reference_.descriptors[to] : nullptr;
        add_copy(to, *source, 0);
        if (before != nullptr) reference_.close(*before);
        if (reference_.descriptors.size() > kEnough) close_descriptor();
    }

    void close_descriptor() {
        const int number = some_number();
        const auto found = reference_.descriptors.find(number);
        const bool there = found != reference_.descriptors.end();
        same(program_.call(Call::fd_close, number), there ? 0 : failure(Error::BADF));
        if (!there) return;
        reference_.close(*found->second);
        reference_.descriptors.erase(found);
    }

    void limit() {
        const int number = some_number();
        const uint32_t rights = below(3) == 0 ? subset(kFdRights) : subset(0x1f) | FD_RIGHT_DUP;
        Node* node = usable(number);
        int64_t expected = 0;
        if (rights == 0 || (rights & ~kFdRights) != 0) {
            expected = failure(Error::INVAL);
        } else if (node == nullptr) {
            expected = failure(Error::BADF);
        } else if ((rights & ~node->fd_rights) != 0) {
            expected = failure(Error::ACCES);
        }
        same(program_.call(Call::fd_rights_limit, number, rights), expected);
        if (expected == 0) node->fd_rights = rights;
    }

    void change_flags() {
        const int number = some_number();
        const uint32_t clear = subset(KFD_NONBLOCK | KFD_CLOEXEC);
        const uint32_t set = subset(KFD_NONBLOCK | KFD_CLOEXEC);
        Node* node = usable(number);
        same(program_.call(Call::fd_flags, number, clear, set),
             node == nullptr ? failure(Error::BADF) : int64_t{node->flags});
        if (node != nullptr) node->flags = (node->flags & ~clear) | set;
    }

    void duplicate() {
        const HandleValue value = some_handle();
        if (value == 0 || reference_.handles.size() > kEnough) return close_handle();
        Node& source = *reference_.handles[value];
        const uint32_t rights = subset(source.rights) | (source.rights & KRIGHT_DUPLICATE);
        const bool fine = rights != 0 && (source.rights & KRIGHT_DUPLICATE) != 0;
        const int64_t status =
            program_.call(Call::handle_duplicate, value, rights, program_.address(&out_[0]));
        same(status, fine ? 0 : failure(rights == 0 ? Error::INVAL : Error::ACCES));
        if (!fine) return;
        reference_.handles[out_[0]] =
            &reference_.add({.map = source.map, .rights = rights, .fd_rights = 0}, &source);
    }

    // The last one of an object stays, so that there is something to go on with.
    void close_handle() {
        const HandleValue value = some_handle();
        if (value == 0 || reference_.handles[value]->parent == nullptr) return;
        same(program_.call(Call::handle_close, value, 0), 0);
        reference_.close(*reference_.handles[value]);
        reference_.handles.erase(value);
    }

    void revoke() {
        const HandleValue value = some_handle();
        if (value == 0) return;
        same(program_.call(Call::handle_revoke, value), 0);
        reference_.revoke_below(*reference_.handles[value]);
    }

    std::mt19937_64 random_;
    Program program_;
    std::array<uint32_t, 4>& out_;
    Reference reference_;
};

}  // namespace

TEST_CASE("descriptors: random calls against a reference") {
    constexpr int kSteps = 40'000;
    for (const uint64_t seed : seeds()) {
        CAPTURE(seed);
        const NothingLeft nothing_left;
        Model model(nothing_left.root(), seed);
        for (uint64_t i = 0; i < kSteps * effort(); ++i) {
            model.step();
            model.compare();
        }
    }
}

TEST_CASE("descriptors: every set of rights, both ways") {
    const NothingLeft nothing_left;
    Program program(nothing_left.root());
    const Pair channel = make_channel(program);
    const HandleValue port = make_port(program);
    auto& fds = program.make<std::array<int32_t, 2>>();
    REQUIRE(program.call(Call::pipe, program.address(&fds[0]), 0) == 0);
    auto& file = program.make<HandleValue>();
    REQUIRE(program.call(Call::handle_from_fd, fds[0], KRIGHT_SAME, program.address(&file)) == 0);
    const std::pair<HandleValue, const Map*> objects[] = {
        {channel.a, &kChannelMap}, {port, &kPortMap}, {file, &kFileMap}};
    for (const auto& [value, map] : objects) {
        const Bridge& bridge = *program.handles().find(value).take().object->bridge();
        for (uint32_t rights = 0; rights <= KRIGHT_ALL; ++rights) {
            const DescriptorRights given = bridge.to_descriptor(Rights(rights));
            same(given.bits, map->to_descriptor(rights));
            for (uint32_t left = 0; left <= kFdRights; ++left) {
                const Rights back = bridge.to_handle({left}, Rights(rights));
                same(back.bits(), map->to_handle(left, rights));
                REQUIRE(Rights(rights).covers(back));  // never more than there was
                same(Bridge::useful({left}), useful(left));
            }
        }
    }
}
