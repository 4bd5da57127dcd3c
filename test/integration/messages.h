// Messages to send and room to receive them.
#pragma once

#include <string.h>

#include "owned.h"

inline constexpr kairos_time_t kForever = KAIROS_TIME_INFINITE;
inline constexpr kairos_time_t kPast = 0;  // polls once

inline kairos_channel_msg message_of(const void* bytes, uint32_t num_bytes,
                                     kairos_handle_t* handles = nullptr, uint32_t num_handles = 0,
                                     uint64_t txid = 0) {
    return {.bytes = const_cast<void*>(bytes),
            .handles = handles,
            .num_bytes = num_bytes,
            .num_handles = num_handles,
            .txid = txid};
}

inline kairos_channel_msg message_of(const char* text) {
    return message_of(text, static_cast<uint32_t>(strlen(text)));
}

inline kairos_status_t send_text(kairos_handle_t channel, const char* text, uint32_t options = 0,
                                 kairos_time_t deadline = kForever) {
    const kairos_channel_msg message = message_of(text);
    return kairos_channel_send(channel, &message, options, deadline);
}

template <typename T>
kairos_status_t send_value(kairos_handle_t channel, const T& value, uint32_t options = 0,
                           kairos_time_t deadline = kForever) {
    const kairos_channel_msg message = message_of(&value, sizeof(value));
    return kairos_channel_send(channel, &message, options, deadline);
}

inline kairos_status_t send_handles(kairos_handle_t channel, kairos_handle_t* handles,
                                    uint32_t count, uint32_t options = KCHANNEL_OPT_NONBLOCK) {
    const kairos_channel_msg message = message_of(nullptr, 0, handles, count);
    return kairos_channel_send(channel, &message, options, kForever);
}

// Sends one handle, which is gone after success.
inline kairos_status_t send_handle(kairos_handle_t channel, Owned& moved) {
    kairos_handle_t value = moved;
    const kairos_status_t status = send_handles(channel, &value, 1);
    if (status == 0) static_cast<void>(moved.release());
    return status;
}

// Room for a message; the handles received are closed with it.
class Inbox {
  public:
    Inbox() { clear(); }

    // What a receive call is given.
    kairos_channel_msg* fresh() {
        header = message_of(bytes, sizeof(bytes), handles, KCHANNEL_MAX_MSG_HANDLES, kMark);
        return &header;
    }
    kairos_status_t receive(kairos_handle_t channel, uint32_t options = 0,
                            kairos_time_t deadline = kForever) {
        clear();
        const kairos_status_t status = kairos_channel_recv(channel, fresh(), options, deadline);
        if (status == 1) keep();
        return status;
    }
    kairos_status_t poll(kairos_handle_t channel) {
        return receive(channel, KCHANNEL_OPT_NONBLOCK);
    }
    kairos_status_t call(kairos_handle_t channel, const kairos_channel_msg& request,
                         kairos_time_t deadline = kForever) {
        clear();
        const kairos_status_t status = kairos_channel_call(channel, &request, fresh(), deadline);
        if (status == 1) keep();
        return status;
    }

    kairos_status_t reply_receive(kairos_handle_t channel, const kairos_channel_msg* reply,
                                  kairos_time_t deadline = kForever) {
        clear();
        const kairos_status_t status = kairos_channel_reply_recv(channel, reply, fresh(), deadline);
        if (status == 1) keep();
        return status;
    }

    bool has_text(const char* text) const {
        return header.num_bytes == strlen(text) && memcmp(bytes, text, header.num_bytes) == 0;
    }
    template <typename T>
    T value() const {
        T value{};
        if (header.num_bytes == sizeof(value)) memcpy(&value, bytes, sizeof(value));
        return value;
    }

    static constexpr uint64_t kMark = 0x6d61726b;  // a txid that no kernel gives out
    kairos_channel_msg header;
    char bytes[512];
    kairos_handle_t handles[KCHANNEL_MAX_MSG_HANDLES];
    Owned received[KCHANNEL_MAX_MSG_HANDLES];  // the same handles

  private:
    void clear() {
        memset(bytes, 0xee, sizeof(bytes));
        memset(handles, 0, sizeof(handles));
        for (Owned& owned : received) owned.close();
    }
    void keep() {
        for (uint32_t i = 0; i < header.num_handles; ++i) received[i] = Owned(handles[i]);
    }
};

// Fills an endpoint's queue; how many messages that took.
inline uint32_t fill_queue(kairos_handle_t sender) {
    uint32_t sent = 0;
    while (send_value(sender, sent, KCHANNEL_OPT_NONBLOCK) == 0) ++sent;
    return sent;
}

// Takes all messages out of a queue; how many there were.
inline uint32_t drain_queue(kairos_handle_t receiver) {
    Inbox inbox;
    uint32_t received = 0;
    while (inbox.poll(receiver) == 1) ++received;
    return received;
}
