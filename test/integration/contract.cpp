// Every call with every argument wrong: alone, for its error, and two at a time, for the order in
// which the contract has them looked at. All cases come from the table in contract_table.h.
#include "contract_table.h"

#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "raw.h"
#include "tiny.h"

namespace {

// A value that is wrong for some argument, when that shows, and what the call answers then.
struct Wrong {
    const char* what;
    uint64_t value;
    Stage stage;
    int64_t error;
};

class Wrongs {
  public:
    void add(const char* what, uint64_t value, Stage stage, int64_t error) {
        if (count_ == kMax) harness::abandon();
        list_[count_++] = {what, value, stage, error};
    }
    const Wrong* begin() const { return list_; }
    const Wrong* end() const { return list_ + count_; }

  private:
    static constexpr uint32_t kMax = 32;
    uint32_t count_ = 0;
    Wrong list_[kMax];
};

kairos_handle_t revoked_handle() {
    const Owned source = make_event();
    kairos_handle_t derived = KAIROS_HANDLE_INVALID;
    REQUIRE_STATUS(0, kairos_handle_duplicate(source, KRIGHT_SAME, &derived));
    REQUIRE_STATUS(0, kairos_handle_revoke(source));
    return derived;
}

// Objects of all types, with something to be had from those that are asked, and memory to name.
class Stock {
  public:
    Stock() {
        const kairos_handle_t root = kairos_bootstrap(KAIROS_BOOT_RESOURCE);
        owned_[0] = make_port();
        const kairos_port_packet packet{.key = 1, .observed = 2, .count = 3};
        REQUIRE_STATUS(0, kairos_port_queue(owned_[0], &packet));
        owned_[1] = make_memory();
        owned_[2] = make_timer();
        owned_[3] = make_event();
        owned_[4] = duplicate(root);
        REQUIRE_STATUS(0, kairos_budget_create(KAIROS_HANDLE_INVALID, 1 << 20, owned_[5].out()));
        REQUIRE_STATUS(0, kairos_interrupt_create(root, kFreeLine + 1, owned_[6].out()));
        REQUIRE_STATUS(0, send_text(channel_.b, "waits to be read"));
        make_descriptors();
        stop_thread();
        of_[KOBJ_TYPE_CHANNEL] = channel_.a;
        of_[KOBJ_TYPE_PORT] = owned_[0];
        of_[KOBJ_TYPE_FILE] = owned_[7];
        of_[KOBJ_TYPE_MEMORY] = owned_[1];
        of_[KOBJ_TYPE_PROCESS] = tiny_.process;
        of_[KOBJ_TYPE_THREAD] = tiny_.thread;
        of_[KOBJ_TYPE_ADDRESS_SPACE] = tiny_.space;
        of_[KOBJ_TYPE_TIMER] = owned_[2];
        of_[KOBJ_TYPE_INTERRUPT] = owned_[6];
        of_[KOBJ_TYPE_RESOURCE] = owned_[4];
        of_[KOBJ_TYPE_EVENT] = owned_[3];
        of_[KOBJ_TYPE_BUDGET] = owned_[5];
        for (uint32_t type = 1; type < KOBJ_TYPE_COUNT; ++type) lame_each_right(type);
        const auto kernel = bad.kernel();
        too_long = message_of(kernel, KCHANNEL_MAX_MSG_BYTES + 1);
        too_many = message_of(nullptr, 0, static_cast<kairos_handle_t*>(kernel),
                              KCHANNEL_MAX_MSG_HANDLES + 1);
        bytes_beyond = message_of(kernel, 1);
        handles_beyond = message_of(nullptr, 0, static_cast<kairos_handle_t*>(kernel), 1);
    }

    ~Stock() {
        kairos_process_kill(tiny_.process, 0);
        kairos_process_wait(tiny_.process, KAIROS_TIME_INFINITE, nullptr);
        for (const int fd : lame_descriptors) kairos_fd_close(fd);
        kairos_fd_close(revoked_descriptor);
        kairos_fd_close(descriptor);
    }

    // A handle of a type that lacks one right, or none if it never had that.
    kairos_handle_t lame(uint32_t type, uint32_t right_number) const {
        return lame_[type][right_number];
    }
    kairos_handle_t of(uint32_t type) const { return of_[type]; }
    kairos_handle_t lowest(uint32_t types) const {
        return of_[static_cast<uint32_t>(__builtin_ctz(types))];
    }

    static constexpr uint32_t kRights = 9;
    static constexpr uint32_t kDescriptorRights = 4;
    const BadPointers bad;
    const kairos_handle_t closed = closed_handle();
    const kairos_handle_t revoked = revoked_handle();
    kairos_channel_msg too_long, too_many, bytes_beyond, handles_beyond;
    kairos_channel_msg good_message = message_of("m");
    alignas(16) char room[kRoomBytes] = {};
    int descriptor;
    int revoked_descriptor;
    int lame_descriptors[kDescriptorRights];  // each lacks one right

  private:
    void make_descriptors() {
        const auto console = static_cast<int>(kairos_fd_console(0));
        REQUIRE_STATUS(0, kairos_handle_from_fd(console, KRIGHT_SAME, owned_[7].out()));
        REQUIRE_STATUS(0, kairos_fd_close(console));
        REQUIRE_STATUS(0, kairos_fd_from_handle(channel_.a, 0, &descriptor));
        for (uint32_t i = 0; i < kDescriptorRights; ++i) {
            lame_descriptors[i] = static_cast<int>(kairos_fd_dup(descriptor, 0, 0));
            const uint32_t all = FD_RIGHT_READ | FD_RIGHT_WRITE | FD_RIGHT_DUP;
            REQUIRE_STATUS(0, kairos_fd_rights_limit(lame_descriptors[i], all & ~(1u << i)));
        }
        const Owned event = make_port();
        REQUIRE_STATUS(0, kairos_fd_from_handle(event, 0, &revoked_descriptor));
        REQUIRE_STATUS(0, kairos_handle_revoke(event));
    }
    // So that its registers can be had.
    void stop_thread() {
        tiny_.set_code(tiny_exit, tiny_exit_end);
        REQUIRE_STATUS(0, kairos_thread_suspend(tiny_.thread));
        tiny_.start();
        kairos_thread_general state;
        REQUIRE_STATUS(sizeof(state),
                       kairos_thread_read_state(tiny_.thread, KTHREAD_STATE_GENERAL, &state,
                                                sizeof(state), KAIROS_TIME_INFINITE));
    }
    void lame_each_right(uint32_t type) {
        if (of_[type] == KAIROS_HANDLE_INVALID) return;
        for (uint32_t i = 0; i < kRights; ++i) {
            const kairos_rights_t left = rights_of(of_[type]) & ~(1u << i);
            if (left == rights_of(of_[type])) continue;
            REQUIRE_STATUS(0, kairos_handle_duplicate(of_[type], left, lame_[type][i].out()));
        }
    }

    Channel channel_;
    TinyProcess tiny_;
    Owned owned_[8];
    kairos_handle_t of_[KOBJ_TYPE_COUNT] = {};
    Owned lame_[KOBJ_TYPE_COUNT][kRights];
};

uint64_t good_value(const Stock& stock, const Argument& argument) {
    switch (argument.kind) {
        case Kind::kHandle:
            return stock.lowest(argument.types);
        case Kind::kDescriptor:
            return static_cast<uint64_t>(stock.descriptor);
        case Kind::kRequest:
        case Kind::kReply:
        case Kind::kRoom:
            return address(&stock.good_message);
        case Kind::kText:
        case Kind::kSource:
        case Kind::kPlace:
        case Kind::kResult:
            return address(stock.room);
        default:
            return argument.good;
    }
}

void add_wrong_handles(const Stock& stock, const Argument& argument, Wrongs& wrongs) {
    if (!argument.optional) {
        wrongs.add("no handle", KAIROS_HANDLE_INVALID, Stage::kHandle, -EBADF);
    }
    wrongs.add("a closed handle", stock.closed, Stage::kHandle, -EBADF);
    wrongs.add("a revoked handle", stock.revoked, Stage::kHandle, -EBADF);
    wrongs.add("all bits", UINT32_MAX, Stage::kHandle, -EBADF);
    for (uint32_t type = 1; type < KOBJ_TYPE_COUNT; ++type) {
        if ((argument.types >> type & 1) != 0 || stock.of(type) == KAIROS_HANDLE_INVALID) continue;
        wrongs.add("a handle of another type", stock.of(type), Stage::kType, -ENOTSUP);
    }
    const auto type = static_cast<uint32_t>(__builtin_ctz(argument.types));
    for (uint32_t i = 0; i < Stock::kRights; ++i) {
        if ((argument.rights >> i & 1) == 0) continue;
        wrongs.add("a right is missing", stock.lame(type, i), Stage::kRights, -EACCES);
    }
}

void add_wrong_descriptors(const Stock& stock, const Argument& argument, Wrongs& wrongs) {
    constexpr int kNone[] = {-1, KFD_MAX_PER_PROCESS - 1, KFD_MAX_PER_PROCESS, INT32_MAX,
                             INT32_MIN};
    for (const int fd : kNone) {
        wrongs.add("no descriptor", static_cast<uint64_t>(fd), Stage::kHandle, -EBADF);
    }
    for (uint32_t i = 0; i < Stock::kDescriptorRights; ++i) {
        if ((argument.rights >> i & 1) == 0) continue;
        wrongs.add("a descriptor's right is missing",
                   static_cast<uint64_t>(stock.lame_descriptors[i]), Stage::kHandle, -EBADF);
    }
    // To close it is no mistake.
    if (argument.optional) return;
    wrongs.add("a revoked descriptor", static_cast<uint64_t>(stock.revoked_descriptor),
               Stage::kHandle, -EBADF);
}

// Pointers: of structs all that cannot be read are found at once; of other memory those that are no
// user addresses are found by range, and the others when they are touched.
void add_wrong_pointers(const Stock& stock, Kind kind, Wrongs& wrongs) {
    const int count = kind == Kind::kResult ? BadPointers::kCount : BadPointers::kInputs;
    for (int i = 0; i < count; ++i) {
        const BadPointer& pointer = stock.bad.all[i];
        const bool no_address = pointer.out_of_range || pointer.address == nullptr;
        if (kind == Kind::kReply && pointer.address == nullptr) continue;
        if (kind == Kind::kPlace && !no_address) continue;
        const Stage stage = no_address ? Stage::kRanges : Stage::kOwn;
        const bool is_memory =
            kind == Kind::kSource || kind == Kind::kPlace || kind == Kind::kResult;
        wrongs.add(pointer.what, address(pointer.address), is_memory ? stage : Stage::kStructs,
                   -EFAULT);
    }
}

void add_wrong_messages(const Stock& stock, Kind kind, Wrongs& wrongs) {
    if (kind != Kind::kRoom) {
        wrongs.add("too many bytes", address(&stock.too_long), Stage::kLengths, -EMSGSIZE);
        wrongs.add("too many handles", address(&stock.too_many), Stage::kLengths, -EMSGSIZE);
    }
    wrongs.add("bytes in the kernel", address(&stock.bytes_beyond), Stage::kRanges, -EFAULT);
    wrongs.add("handles in the kernel", address(&stock.handles_beyond), Stage::kRanges, -EFAULT);
}

Wrongs wrongs_of(const Stock& stock, const Argument& argument) {
    Wrongs wrongs;
    switch (argument.kind) {
        case Kind::kNone:
        case Kind::kAnything:
            break;
        case Kind::kChoice:
        case Kind::kLength:
            for (uint32_t i = 0; i < argument.wrong_count; ++i) {
                wrongs.add("a wrong value", argument.wrong[i],
                           argument.kind == Kind::kChoice ? Stage::kFlags : Stage::kLengths,
                           argument.error);
            }
            break;
        case Kind::kHandle:
            add_wrong_handles(stock, argument, wrongs);
            break;
        case Kind::kDescriptor:
            add_wrong_descriptors(stock, argument, wrongs);
            break;
        case Kind::kRequest:
        case Kind::kReply:
        case Kind::kRoom:
            add_wrong_messages(stock, argument.kind, wrongs);
            add_wrong_pointers(stock, argument.kind, wrongs);
            break;
        default:
            add_wrong_pointers(stock, argument.kind, wrongs);
            break;
    }
    return wrongs;
}

int64_t make_call(const Line& line, uint64_t (&a)[6]) {
    for (int i = 0; i < 6; ++i) {
        if (line.arguments[i].narrow) a[i] = dirty(static_cast<uint32_t>(a[i]));
    }
    return raw_call(line.number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void fill_in(Stock& stock, const Line& line, uint64_t (&a)[6]) {
    memset(stock.room, 0, sizeof(stock.room));
    stock.good_message = message_of("m");
    for (int i = 0; i < 6; ++i) a[i] = good_value(stock, line.arguments[i]);
}

const Line* line_of(uint64_t number) {
    for (const Line& line : kLines) {
        if (line.number == number) return &line;
    }
    return nullptr;
}

// Calls `try_line` for every call, and says which left handles behind.
template <typename TryLine>
void for_each_line(TryLine try_line) {
    Stock stock;
    const uint32_t before = own_handles();
    for (const Line& line : kLines) {
        try_line(stock, line);
        if (own_handles() != before) {
            harness::fail(__FILE__, __LINE__, "%s has changed the number of handles", line.name);
            return;
        }
    }
}

}  // namespace

TEST("every call has a line in the table") {
#define CHECK_LINE(name)                                                                           \
    if (line_of(KAIROS_SYS_##name) == nullptr) {                                                   \
        harness::fail(__FILE__, __LINE__, "%s has no line in contract_table.h: say what it takes", \
                      #name);                                                                      \
    }
    KAIROS_SYSCALLS(CHECK_LINE)
#undef CHECK_LINE
}

TEST("one argument wrong") {
    for_each_line([](Stock& stock, const Line& line) {
        for (int i = 0; i < 6; ++i) {
            for (const Wrong& wrong : wrongs_of(stock, line.arguments[i])) {
                uint64_t a[6];
                fill_in(stock, line, a);
                a[i] = wrong.value;
                const int64_t result = make_call(line, a);
                if (result == wrong.error) continue;
                harness::fail(__FILE__, __LINE__, "%s, argument %d: %s is %s, not %s", line.name,
                              i + 1, wrong.what, harness::text_of(result).chars,
                              harness::text_of(wrong.error).chars);
            }
        }
    });
}

TEST("two arguments wrong: the one that is looked at first has the word") {
    for_each_line([](Stock& stock, const Line& line) {
        for (int i = 0; i < 6; ++i) {
            const Wrongs firsts = wrongs_of(stock, line.arguments[i]);
            for (int j = i + 1; j < 6; ++j) {
                // Which of two handles comes first is not said.
                const Kind kind = line.arguments[j].kind;
                if (kind == Kind::kHandle && line.arguments[i].kind == Kind::kHandle) continue;
                const Wrongs seconds = wrongs_of(stock, line.arguments[j]);
                for (const Wrong& one : firsts) {
                    for (const Wrong& other : seconds) {
                        uint64_t a[6];
                        fill_in(stock, line, a);
                        a[i] = one.value;
                        a[j] = other.value;
                        const int64_t result = make_call(line, a);
                        if (result == one.error && one.stage <= other.stage) continue;
                        if (result == other.error && other.stage <= one.stage) continue;
                        harness::fail(
                            __FILE__, __LINE__, "%s, arguments %d (%s) and %d (%s): %s, not %s",
                            line.name, i + 1, one.what, j + 1, other.what,
                            harness::text_of(result).chars,
                            harness::text_of(one.stage <= other.stage ? one.error : other.error)
                                .chars);
                    }
                }
            }
        }
    });
}

TEST("no pointer has to be aligned") {
    alignas(16) static char room[512];
    char* odd = room + 1;
    const auto handle_at = [](const char* at) {
        kairos_handle_t value;
        memcpy(&value, at, sizeof(value));
        return value;
    };
    const auto outputs = [&](uint64_t number, uint64_t first, uint64_t second) {
        EXPECT_STATUS(0, raw_call(number, first, second, address(odd)));
        return Owned(handle_at(odd));
    };
    const Owned event = make_event();
    const Owned copy = outputs(KAIROS_SYS_handle_duplicate, event, KRIGHT_SAME);
    EXPECT_EQ(id_of(event), id_of(copy));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_channel_create, 0, address(odd), address(odd + 5)));
    const Owned a(handle_at(odd));
    const Owned b(handle_at(odd + 5));

    // The struct, the bytes and the handles, to send and to receive.
    char* handles = room + 203;
    const kairos_handle_t sent = duplicate(event).release();
    memcpy(handles, &sent, sizeof(sent));
    memcpy(room + 301, "odd bytes", 9);
    kairos_channel_msg message =
        message_of(room + 301, 9, reinterpret_cast<kairos_handle_t*>(handles), 1);
    memcpy(odd, &message, sizeof(message));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_channel_send, a, address(odd), 0, kForever));
    memset(room + 301, 0, 9);
    EXPECT_STATUS(1, raw_call(KAIROS_SYS_channel_recv, b, address(odd), 0, kForever));
    memcpy(&message, odd, sizeof(message));
    EXPECT_EQ(9u, message.num_bytes);
    EXPECT_EQ(0, memcmp(room + 301, "odd bytes", 9));
    const Owned received(handle_at(handles));
    EXPECT_EQ(id_of(event), id_of(received));

    const Owned port = make_port();
    kairos_port_packet packet{.key = 11, .observed = 12, .count = 0};
    memcpy(odd, &packet, sizeof(packet));
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_port_queue, port, address(odd)));
    EXPECT_STATUS(1, raw_call(KAIROS_SYS_port_wait, port, address(odd + 100), 1, 0, kForever));
    memcpy(&packet, odd + 100, sizeof(packet));
    EXPECT_EQ(11u, packet.key);
    EXPECT_STATUS(0, raw_call(KAIROS_SYS_object_poll, a, POLLOUT, address(odd)));
    EXPECT_EQ(static_cast<uint32_t>(POLLOUT), handle_at(odd));
}
