// Memory that changes under a call: another thread takes the access to a page of the caller's
// buffers away and gives it back, all the time. Each call succeeds wholly, or fails with -EFAULT
// and has done nothing: the message is the first in its queue still, the handles are where they
// were.
#include "harness.h"
#include "hostile.h"
#include "packets.h"
#include "race.h"

namespace {

constexpr int kRounds = 25;
constexpr uint32_t kPage = KAIROS_PAGE_SIZE;
constexpr uint32_t kLarge = 2 * kPage;

// Memory in which everything from border() on comes and goes, until it ends.
class Shifting {
  public:
    // `protection`: what is left in between, KPROT_READ or nothing.
    explicit Shifting(uint32_t protection) : protection_(protection), worker_(Shift{this}) {
        pin(hart_count() > 1 ? 1 : 0, worker_.thread());
    }
    ~Shifting() {
        stop_ = true;
        worker_.join();
    }

    char* border() const { return pages_.end() - 2 * kPage; }
    // A place of this size, half of it before the border.
    char* across(uint32_t size) const { return border() - size / 2; }
    template <typename T>
    T* beyond() const {
        return reinterpret_cast<T*>(border() + 64);
    }
    // Copies to and from it, by the kernel, when it happens to be there.
    void put(void* to, const void* from, uint32_t size) const {
        REQUIRE_STATUS(0, kairos_memory_write(copy_, 0, from, size));
        while (kairos_memory_read(copy_, 0, to, size) == -EFAULT) kairos_yield();
    }
    void get(void* to, const void* from, uint32_t size) const {
        while (kairos_memory_write(copy_, 0, from, size) == -EFAULT) kairos_yield();
        REQUIRE_STATUS(0, kairos_memory_read(copy_, 0, to, size));
    }
    template <typename T>
    T value(const T* at) const {
        T value;
        get(&value, at, sizeof(value));
        return value;
    }

  private:
    struct Shift {
        Shifting* self;
        void operator()() {
            Random random(kairos_clock_now());
            while (!self->stop_) {
                for (const uint32_t access : {self->protection_, KPROT_READ | KPROT_WRITE}) {
                    EXPECT_STATUS(
                        0, kairos_protect(kairos_self_aspace(), self->border(), 2 * kPage, access));
                    spin(random.below(400));
                    kairos_yield();
                }
            }
        }
    };

    const uint32_t protection_;
    const Pages pages_{4};
    const Owned copy_ = make_memory(kLarge);
    std::atomic<bool> stop_{false};
    Worker<Shift> worker_;
};

template <typename Try>
void with_shifting_memory(Try try_it) {
    for (const uint32_t protection : {0u, KPROT_READ}) {
        const Shifting memory(protection);
        for (int round = 0; round < kRounds; ++round) try_it(memory);
    }
}

// A payload that tells where it is torn, and a handle.
struct Parcel {
    explicit Parcel(uint32_t payload) : size(payload) {
        static uint32_t parcels = 0;
        ++parcels;
        for (uint32_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i / 64 + parcels);
    }
    kairos_channel_msg message(const void* from) {
        handle = event;
        return message_of(from, size, &handle, 1);
    }
    // It has been sent, or it has not.
    void has_left(bool left) {
        EXPECT_EQ(!left, is_valid(event));
        if (left) static_cast<void>(event.release());
    }

    const uint32_t size;
    char bytes[kLarge];
    Owned event = make_event();
    const uint64_t id = id_of(event);
    kairos_handle_t handle;
};

constexpr uint32_t kSizes[] = {100, kLarge};
uint32_t some_size() {
    static uint32_t turn = 0;
    return kSizes[++turn % 2];
}

char arrived[kLarge];

void expect_whole(const Parcel& parcel, kairos_handle_t handle) {
    EXPECT_EQ(0, memcmp(arrived, parcel.bytes, parcel.size));
    EXPECT_EQ(parcel.id, id_of(handle));
    EXPECT_STATUS(0, kairos_handle_close(handle, 0));
}

// Receives into good memory what has to be there.
void expect_queued(kairos_handle_t channel, const Parcel& parcel) {
    kairos_handle_t handle = KAIROS_HANDLE_INVALID;
    kairos_channel_msg room = message_of(arrived, kLarge, &handle, 1);
    REQUIRE_STATUS(1, kairos_channel_recv(channel, &room, KCHANNEL_OPT_NONBLOCK, kForever));
    EXPECT_EQ(parcel.size, room.num_bytes);
    expect_whole(parcel, handle);
}

// Queues a parcel and receives it with `receive(size, handle)`, which tries once.
template <typename Receive>
void receive_until_it_works(const Channel& channel, Receive receive) {
    Parcel parcel(some_size());
    const kairos_channel_msg message = parcel.message(parcel.bytes);
    REQUIRE_STATUS(0, kairos_channel_send(channel.a, &message, 0, kForever));
    parcel.has_left(true);
    const uint32_t before = own_handles();
    for (int tries = 0; tries < 20; ++tries) {
        kairos_handle_t handle = KAIROS_HANDLE_INVALID;
        const kairos_status_t status = receive(parcel.size, handle);
        if (status == 1) {
            expect_whole(parcel, handle);
            return;
        }
        EXPECT_STATUS(-EFAULT, status);
        EXPECT_EQ(before, own_handles());
        REQUIRE_EQ(1u, queued_in(channel.b));
    }
    expect_queued(channel.b, parcel);
}

}  // namespace

// ---- Receiving
// -----------------------------------------------------------------------------------

TEST("recv: bytes into it") {
    with_shifting_memory([](const Shifting& memory) {
        const Channel channel;
        receive_until_it_works(channel, [&](uint32_t size, kairos_handle_t& handle) {
            char* place = memory.across(size);
            kairos_channel_msg room = message_of(place, size, &handle, 1);
            const kairos_status_t status = kairos_channel_recv(channel.b, &room, 0, kForever);
            if (status == 1) memory.get(arrived, place, size);
            return status;
        });
    });
}

TEST("recv: handles into it") {
    with_shifting_memory([](const Shifting& memory) {
        const Channel channel;
        receive_until_it_works(channel, [&](uint32_t size, kairos_handle_t& handle) {
            auto* place = memory.beyond<kairos_handle_t>();
            kairos_channel_msg room = message_of(arrived, size, place, 1);
            const kairos_status_t status = kairos_channel_recv(channel.b, &room, 0, kForever);
            if (status == 1) handle = memory.value(place);
            return status;
        });
    });
}

TEST("recv: the message's struct in it") {
    with_shifting_memory([](const Shifting& memory) {
        const Channel channel;
        receive_until_it_works(channel, [&](uint32_t size, kairos_handle_t& handle) {
            auto* place = memory.beyond<kairos_channel_msg>();
            const kairos_channel_msg room = message_of(arrived, kLarge, &handle, 2);
            memory.put(place, &room, sizeof(room));
            const kairos_status_t status = kairos_channel_recv(channel.b, place, 0, kForever);
            if (status == 1) EXPECT_EQ(size, memory.value(&place->num_bytes));
            return status;
        });
    });
}

TEST("recv: asleep, and the sender fills it") {
    with_shifting_memory([](const Shifting& memory) {
        const Channel channel;
        Parcel parcel(some_size());
        char* place = memory.across(parcel.size);
        kairos_handle_t handle = KAIROS_HANDLE_INVALID;
        kairos_channel_msg room = message_of(place, parcel.size, &handle, 1);
        Blocked receiver([&] {
            return kairos_channel_recv(channel.b, &room, KCHANNEL_OPT_RENDEZVOUS, kForever);
        });
        const kairos_channel_msg message = parcel.message(parcel.bytes);
        EXPECT_STATUS(0,
                      kairos_channel_send(channel.a, &message, KCHANNEL_OPT_RENDEZVOUS, kForever));
        parcel.has_left(true);
        const kairos_status_t status = receiver.result();
        if (status == 1) {
            memory.get(arrived, place, parcel.size);
            expect_whole(parcel, handle);
        } else {
            EXPECT_STATUS(-EFAULT, status);
            expect_queued(channel.b, parcel);
        }
    });
}

// ---- Sending
// -------------------------------------------------------------------------------------

TEST("send: bytes out of it, into a queue and to a receiver who waits") {
    bool waits = false;
    with_shifting_memory([&](const Shifting& memory) {
        waits = !waits;
        const Channel channel;
        Parcel parcel(some_size());
        char* place = memory.across(parcel.size);
        memory.put(place, parcel.bytes, parcel.size);
        const kairos_channel_msg message = parcel.message(place);
        kairos_handle_t handle = KAIROS_HANDLE_INVALID;
        const auto receive = [&] {
            kairos_channel_msg room = message_of(arrived, kLarge, &handle, 1);
            return kairos_channel_recv(channel.b, &room, KCHANNEL_OPT_RENDEZVOUS, kForever);
        };
        const auto send = [&] {
            while (true) {
                const kairos_status_t status =
                    kairos_channel_send(channel.a, &message, KCHANNEL_OPT_RENDEZVOUS, kForever);
                parcel.has_left(status == 0);
                if (status == 0) return;
                EXPECT_STATUS(-EFAULT, status);
                EXPECT_EQ(0u, queued_in(channel.b));
                kairos_yield();
            }
        };
        if (waits) {
            Blocked receiver(receive);
            send();
            EXPECT_STATUS(1, receiver.result());
        } else {
            send();
            EXPECT_STATUS(1, receive());
        }
        expect_whole(parcel, handle);
    });
}

TEST("call: the request out of it, the reply into it") {
    Channel channel;
    Worker server([&] {
        char bytes[100];
        kairos_handle_t handle = KAIROS_HANDLE_INVALID;
        kairos_channel_msg room = message_of(bytes, sizeof(bytes), &handle, 1);
        kairos_status_t got = kairos_channel_reply_recv(channel.b, nullptr, &room, kForever);
        while (got == 1) {
            const kairos_channel_msg reply =
                message_of(bytes, room.num_bytes, &handle, room.num_handles, room.txid);
            room = message_of(bytes, sizeof(bytes), &handle, 1);
            got = kairos_channel_reply_recv(channel.b, &reply, &room, kForever);
        }
        EXPECT_STATUS(0, got);
    });
    with_shifting_memory([&](const Shifting& memory) {
        Parcel parcel(100);
        char* place = memory.across(parcel.size);
        memory.put(place, parcel.bytes, parcel.size);
        const kairos_channel_msg request = parcel.message(place);
        kairos_handle_t handle = KAIROS_HANDLE_INVALID;
        kairos_channel_msg reply = message_of(place, parcel.size, &handle, 1);
        const kairos_status_t status = kairos_channel_call(channel.a, &request, &reply, kForever);
        if (status == 1) {
            parcel.has_left(true);
            memory.get(arrived, place, parcel.size);
            expect_whole(parcel, handle);
        } else {
            // Either the request could not be read, or the reply not be written: then it is gone.
            EXPECT_STATUS(-EFAULT, status);
            if (!is_valid(parcel.event)) parcel.has_left(true);
        }
    });
    channel.a.close();
}

// ---- Other outputs
// -------------------------------------------------------------------------------

TEST("port_wait: packets into it, each once and in order") {
    uint64_t queued = 0;
    with_shifting_memory([&](const Shifting& memory) {
        constexpr uint32_t kPackets = 6;
        const Owned port = make_port();
        const uint64_t first = queued;
        for (uint32_t i = 0; i < kPackets; ++i) {
            const kairos_port_packet packet{.key = queued++, .observed = 1, .count = 0};
            REQUIRE_STATUS(0, kairos_port_queue(port, &packet));
        }
        auto* place =
            reinterpret_cast<kairos_port_packet*>(memory.across(4 * sizeof(kairos_port_packet)));
        for (uint64_t next = first; next < first + kPackets;) {
            const kairos_status_t got =
                kairos_port_wait(port, place, 4, KPORT_WAIT_NONBLOCK, kForever);
            if (got == -EFAULT) continue;
            REQUIRE(got >= 1);
            for (int64_t i = 0; i < got; ++i, ++next) EXPECT_EQ(next, memory.value(&place[i].key));
        }
        EXPECT_NO_PACKET(port);
    });
}

TEST("duplicate and create: handles into it") {
    with_shifting_memory([&](const Shifting& memory) {
        const Owned event = make_event();
        auto* place = memory.beyond<kairos_handle_t>();
        const uint32_t before = own_handles();
        kairos_status_t status = kairos_handle_duplicate(event, KRIGHT_SAME, place);
        EXPECT_ONE_OF(ANY(0, -EFAULT), status);
        EXPECT_EQ(before + (status == 0 ? 1 : 0), own_handles());
        if (status == 0) EXPECT_STATUS(0, kairos_handle_close(memory.value(place), 0));

        kairos_handle_t other = KAIROS_HANDLE_INVALID;
        status = kairos_channel_create(0, &other, place);
        EXPECT_ONE_OF(ANY(0, -EFAULT), status);
        EXPECT_EQ(before + (status == 0 ? 2 : 0), own_handles());
        if (status != 0) return;
        EXPECT_STATUS(0, kairos_handle_close(other, 0));
        EXPECT_STATUS(0, kairos_handle_close(memory.value(place), 0));
    });
}
