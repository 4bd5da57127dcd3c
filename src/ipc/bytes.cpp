// A channel as a stream of bytes in messages: reading and writing through descriptors and by
// kairos_object_read and kairos_object_write.
#include <algorithm>

#include "ipc/channel.h"
#include "object/bridge.h"

Result<int64_t> Endpoint::read_bytes(const ByteRequest& request) {
    ReceiveTarget target{
        .space = &current_thread().space(),
        .table = &current_thread().handles(),
        .bytes = request.address,
        .capacity = static_cast<uint32_t>(std::min<uint64_t>(request.size, KCHANNEL_MAX_MSG_BYTES)),
        .drop_handles = true};
    const bool received =
        TRY(receive(target, {.nonblocking = request.nonblocking, .through = request.through}));
    return received ? target.size : 0;
}

Result<int64_t> Endpoint::write_bytes(const ByteRequest& request) {
    if (request.size > KCHANNEL_MAX_MSG_BYTES) return Fail(Error::MSGSIZE);
    Outgoing outgoing;
    TRY(outgoing.refer_to(request.address, static_cast<uint32_t>(request.size)));
    TRY(send(outgoing, {.nonblocking = request.nonblocking, .through = request.through}));
    return static_cast<int64_t>(request.size);
}

const Bridge* Endpoint::bridge() const {
    static constexpr Bridge kBridge{
        .read = {right::kRead}, .write = {right::kWrite}, .duplicate = {right::kDuplicate}};
    return &kBridge;
}
