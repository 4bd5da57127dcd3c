#include "ipc/channel.h"

#include <algorithm>
#include <span>

#include "sched/thread.h"
#include "syscall/bodies.h"
#include "syscall/give.h"

namespace system_calls {

namespace {

using Header = kairos_channel_msg;  // read once; the user's copy may change under us

SendOptions options_of(HandleValue handle, uint32_t options, Instant deadline) {
    return {.nonblocking = (options & KCHANNEL_OPT_NONBLOCK) != 0,
            .rendezvous = (options & KCHANNEL_OPT_RENDEZVOUS) != 0,
            .deadline = deadline,
            .through = current_thread().handles().through(handle)};
}

Status check_options(uint32_t options) {
    if ((options & ~(KCHANNEL_OPT_NONBLOCK | KCHANNEL_OPT_RENDEZVOUS)) != 0) {
        return Fail(Error::INVAL);
    }
    return {};
}

VirtualAddress address_of(const void* pointer) { return {reinterpret_cast<uint64_t>(pointer)}; }

// The lengths of a message to send, and the ranges of its pointers.
Status check_outgoing(const Header& header) {
    if (header.num_bytes > KCHANNEL_MAX_MSG_BYTES ||
        header.num_handles > KCHANNEL_MAX_MSG_HANDLES) {
        return Fail(Error::MSGSIZE);
    }
    if (header.num_bytes != 0) {
        TRY(UserPointer<uint8_t>{address_of(header.bytes)}.check_range(header.num_bytes));
    }
    if (header.num_handles != 0) {
        TRY(UserHandle{address_of(header.handles)}.check_range(header.num_handles));
    }
    return {};
}

// Where a message is to go. Room beyond the largest message is as good as none.
Result<ReceiveTarget> check_target(UserMessage message, const Header& header) {
    ReceiveTarget target{.space = &current_thread().space(),
                         .table = &current_thread().handles(),
                         .message = message.address,
                         .bytes = address_of(header.bytes),
                         .capacity = std::min(header.num_bytes, KCHANNEL_MAX_MSG_BYTES),
                         .handles = address_of(header.handles),
                         .handle_capacity = std::min(header.num_handles, KCHANNEL_MAX_MSG_HANDLES)};
    if (target.capacity != 0) {
        TRY(UserPointer<uint8_t>{target.bytes}.check_range(target.capacity));
    }
    if (target.handle_capacity != 0) {
        TRY(UserHandle{target.handles}.check_range(target.handle_capacity));
    }
    return target;
}

// Names the payload and sets the handles aside. The endpoint cannot travel through itself or
// its peer.
Status load(Outgoing& outgoing, const Header& header, Endpoint& through) {
    HandleValue values[KCHANNEL_MAX_MSG_HANDLES];
    if (header.num_handles != 0 &&
        !arch::copy_from_user(values, address_of(header.handles),
                              header.num_handles * sizeof(HandleValue))) {
        return Fail(Error::FAULT);
    }
    TRY(outgoing.refer_to(address_of(header.bytes), header.num_bytes));
    outgoing.message.txid = header.txid;
    if (header.num_handles == 0) return {};
    return current_thread().handles().reserve_transfer(std::span(values, header.num_handles),
                                                       &through, through.peer(), outgoing.handles);
}

// After a receive: reports the sizes of a message that does not fit.
Result<int64_t> finish(UserMessage message, const ReceiveTarget& target, Result<bool> received) {
    if (received) return *received ? 1 : 0;
    if (received.error() == Error::MSGSIZE) {
        Header header = TRY(message.read());
        header.num_bytes = target.size;
        header.num_handles = target.handle_count;
        TRY(message.write(header));
    }
    return Fail(received.error());
}

}  // namespace

Status channel_create(uint32_t flags, UserHandle out0, UserHandle out1) {
    if (flags != 0) return Fail(Error::INVAL);
    TRY(out0.check_range());
    TRY(out1.check_range());
    Budget& budget = current_thread().budget();
    Endpoint::TwoEnds pair = TRY(Endpoint::create_pair(budget));
    OwnedCap cap0 = TRY(OwnedCap::create_root(*pair.ends[0], Endpoint::kInitialRights, budget));
    OwnedCap cap1 = TRY(OwnedCap::create_root(*pair.ends[1], Endpoint::kInitialRights, budget));
    return give<2>({NewHandle{std::move(cap0), out0}, NewHandle{std::move(cap1), out1}});
}

Status channel_send(HandleValue handle, UserMessage message, uint32_t options, Instant deadline) {
    TRY(check_options(options));
    const Header header = TRY(message.read());
    TRY(check_outgoing(header));
    Ref<Endpoint> endpoint = TRY(current_thread().handles().get<Endpoint>(handle, right::kWrite));
    Outgoing outgoing;
    TRY(load(outgoing, header, *endpoint));
    return endpoint->send(outgoing, options_of(handle, options, deadline));
}

Result<int64_t> channel_recv(HandleValue handle, UserMessage message, uint32_t options,
                             Instant deadline) {
    TRY(check_options(options));
    const Header header = TRY(message.read());
    ReceiveTarget target = TRY(check_target(message, header));
    Ref<Endpoint> endpoint = TRY(current_thread().handles().get<Endpoint>(handle, right::kRead));
    return finish(message, target,
                  endpoint->receive(target, options_of(handle, options, deadline)));
}

Result<int64_t> channel_call(HandleValue handle, UserMessage request, UserMessage reply,
                             Instant deadline) {
    const Header request_header = TRY(request.read());
    const Header reply_header = TRY(reply.read());
    TRY(check_outgoing(request_header));
    ReceiveTarget target = TRY(check_target(reply, reply_header));
    Ref<Endpoint> endpoint =
        TRY(current_thread().handles().get<Endpoint>(handle, right::kRead | right::kWrite));
    Outgoing outgoing;
    TRY(load(outgoing, request_header, *endpoint));
    const Status called = endpoint->call(outgoing, target, options_of(handle, 0, deadline));
    if (!called) return finish(reply, target, Fail(called.error()));
    return 1;
}

Result<int64_t> channel_reply_recv(HandleValue handle, UserMessage reply, UserMessage next,
                                   Instant deadline) {
    Header reply_header{};
    if (!reply.null()) reply_header = TRY(reply.read());
    const Header next_header = TRY(next.read());
    if (!reply.null()) TRY(check_outgoing(reply_header));
    ReceiveTarget target = TRY(check_target(next, next_header));
    const Rights needed = reply.null() ? right::kRead : right::kRead | right::kWrite;
    Ref<Endpoint> endpoint = TRY(current_thread().handles().get<Endpoint>(handle, needed));
    const SendOptions options = options_of(handle, KCHANNEL_OPT_RENDEZVOUS, deadline);
    if (!reply.null()) {
        Outgoing outgoing;
        TRY(load(outgoing, reply_header, *endpoint));
        return finish(next, target, endpoint->reply_and_receive(outgoing, target, options));
    }
    return finish(next, target, endpoint->receive(target, options));
}

}  // namespace system_calls
