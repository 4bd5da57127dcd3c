// Writing the first startup message; see the header.
#include "startup_message.hpp"

#include <cstring>

namespace kairos::internal {

namespace {

// With all handles that there can be, and a pointer for each argument on the child's stack.
constexpr size_t kMaxStringBytes =
    KCHANNEL_MAX_MSG_BYTES - sizeof(kairos_startup) -
    (KAIROS_BOOT_COUNT + KCHANNEL_MAX_MSG_HANDLES) * sizeof(uint32_t);
constexpr uint32_t kMaxArguments = 4096;

char* put(char* to, const void* from, size_t size) {
    std::memcpy(to, from, size);
    return to + size;
}

}  // namespace

kairos_status_t StartupMessage::set_arguments(char* const argv[]) {
    argv_ = argv;
    size_t bytes = 0;
    for (; argv[argc_] != nullptr; ++argc_) {
        bytes += std::strlen(argv[argc_]) + 1;
        if (bytes > kMaxStringBytes || argc_ == kMaxArguments) return -EMSGSIZE;
    }
    string_bytes_ = static_cast<uint32_t>(bytes);
    return 0;
}

void StartupMessage::add(uint32_t which, Handle handle) {
    places_[count_] = which;
    handles_[count_++] = std::move(handle);
}

kairos_status_t StartupMessage::add_duplicate(uint32_t which, kairos_handle_t handle) {
    kairos_handle_t copy = KAIROS_HANDLE_INVALID;
    const kairos_status_t status = kairos_handle_duplicate(handle, KRIGHT_SAME, &copy);
    if (status < 0) return status;
    add(which, Handle(copy));
    return 0;
}

size_t StartupMessage::stack_bytes() const {
    return sizeof(kairos_startup) + KAIROS_BOOT_COUNT * sizeof(uint32_t) + string_bytes_ +
           (argc_ + 1) * sizeof(char*);
}

kairos_status_t StartupMessage::send(kairos_handle_t channel, kairos_startup header,
                                     const Gifts& gifts) {
    header.magic = KAIROS_STARTUP_MAGIC;
    header.argc = argc_;
    header.handle_count = count_ + static_cast<uint32_t>(gifts.count());
    header.string_bytes = string_bytes_;
    const size_t size =
        sizeof(header) + header.handle_count * sizeof(uint32_t) + header.string_bytes;
    const std::unique_ptr<char, Free> bytes(static_cast<char*>(std::malloc(size)));
    if (!bytes) return -ENOMEM;

    char* end = put(bytes.get(), &header, sizeof(header));
    end = put(end, places_, count_ * sizeof(places_[0]));
    for (size_t i = 0; i < gifts.count(); ++i) {
        const uint32_t place = gifts.place(i);
        end = put(end, &place, sizeof(place));
    }
    for (uint32_t i = 0; i < argc_; ++i) end = put(end, argv_[i], std::strlen(argv_[i]) + 1);

    kairos_handle_t values[KCHANNEL_MAX_MSG_HANDLES];
    for (uint32_t i = 0; i < count_; ++i) values[i] = handles_[i].get();
    const kairos_channel_msg message = {.bytes = bytes.get(),
                                        .handles = values,
                                        .num_bytes = static_cast<uint32_t>(size),
                                        .num_handles = count_,
                                        .txid = 0};
    const kairos_status_t status = kairos_channel_send(channel, &message, 0, KAIROS_TIME_INFINITE);
    if (status < 0) return status;
    for (uint32_t i = 0; i < count_; ++i) static_cast<void>(handles_[i].release());
    return 0;
}

}  // namespace kairos::internal
