// What an object remembers of its references, the states of its life, and warnings.
#include "object/lifecycle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "ipc/event.h"
#include "object/graveyard.h"
#include "object/kept.h"
#include "trace/counters.h"
#include "trace/warn.h"

namespace {

struct References {
    explicit References(const Object& object) : count(object.history()->references(events)) {}
    kairos_info_reference_event events[ObjectHistory::kReferenceEvents];
    uint32_t count;
};

void check_event(const kairos_info_reference_event& event, uint32_t what, uint32_t references) {
    CHECK(event.what == what);
    CHECK(event.references == references);
}

}  // namespace

TEST_CASE("lifecycle: exactly these steps are legal") {
    static constexpr Lifecycle kAll[] = {Lifecycle::kInit, Lifecycle::kLive, Lifecycle::kDetached,
                                         Lifecycle::kDying, Lifecycle::kFreed};
    int legal = 0;
    for (const Lifecycle from : kAll) {
        for (const Lifecycle to : kAll) legal += lifecycle::legal(from, to) ? 1 : 0;
    }
    CHECK(legal == 6);
    CHECK(lifecycle::legal(Lifecycle::kInit, Lifecycle::kLive));
    CHECK(lifecycle::legal(Lifecycle::kLive, Lifecycle::kDetached));
    CHECK(lifecycle::legal(Lifecycle::kDetached, Lifecycle::kDying));
    CHECK(lifecycle::legal(Lifecycle::kDying, Lifecycle::kFreed));
}

TEST_CASE("lifecycle: an object goes through its states, and every owner is an event") {
    Budget& root = hosted::kernel();
    hosted::settle();
    const uint64_t before = root.used();
    Ref<Event> creator = Event::create(root).take();
    Ref<Event> watcher(*creator);
    CHECK(creator->lifecycle() == Lifecycle::kLive);
    creator->add_owner(OwnerClass::kHandle);
    creator->add_owner(OwnerClass::kDescriptor);
    {
        const Kept<Event> kept{Ref<Event>(*creator)};
        CHECK(References(*creator).count == 4);
    }
    creator->drop_owner(OwnerClass::kHandle);
    creator->drop_owner(OwnerClass::kDescriptor);
    CHECK(creator->lifecycle() == Lifecycle::kDetached);

    const References seen(*creator);
    REQUIRE(seen.count == 7);
    check_event(seen.events[0], KAIROS_REFERENCE_INIT, 1);
    check_event(seen.events[1], KAIROS_REFERENCE_GET, 3);  // the watcher counts, and is no event
    check_event(seen.events[2], KAIROS_REFERENCE_GET, 4);
    check_event(seen.events[3], KAIROS_REFERENCE_GET, 5);
    check_event(seen.events[4], KAIROS_REFERENCE_PUT, 4);
    check_event(seen.events[5], KAIROS_REFERENCE_PUT, 3);
    check_event(seen.events[6], KAIROS_REFERENCE_PUT, 2);

    creator = nullptr;
    const Event& last = *watcher;
    watcher = nullptr;  // its memory stays until this hart has passed a quiescent point
    CHECK(last.lifecycle() == Lifecycle::kDying);
    const References at_the_end(last);
    REQUIRE(at_the_end.count == 8);
    check_event(at_the_end.events[7], KAIROS_REFERENCE_LAST_PUT, 0);
    hosted::settle();
    CHECK(root.used() == before);
}

TEST_CASE("history: the last sixteen references, the last thirty-two travels") {
    Budget& root = hosted::kernel();
    hosted::settle();
    const uint64_t before = root.used();
    Ref<Event> object = Event::create(root).take();
    for (int i = 0; i < 40; ++i) {
        object->keep();
        object->unkeep();
    }
    const References seen(*object);
    REQUIRE(seen.count == ObjectHistory::kReferenceEvents);
    check_event(seen.events[0], KAIROS_REFERENCE_GET, 2);
    check_event(seen.events[15], KAIROS_REFERENCE_PUT, 1);

    const uint64_t at_rest = root.used();
    kairos_info_transfer_event travels[ObjectHistory::kTransferEvents];
    CHECK(object->history()->transfers(travels) == 0);
    for (uint64_t i = 1; i <= 50; ++i) {
        object->note_transfer(TransferEvent::kInstall, i, i + 100, right::kRead);
    }
    CHECK(root.used() > at_rest);  // a travelled object's history is charged
    REQUIRE(object->history()->transfers(travels) == ObjectHistory::kTransferEvents);
    for (uint64_t i = 0; i < ObjectHistory::kTransferEvents; ++i) {
        CHECK(travels[i].from_process == i + 19);
        CHECK(travels[i].to_process == i + 119);
        CHECK(travels[i].what == KAIROS_TRANSFER_INSTALL);
        CHECK(travels[i].rights == KRIGHT_READ);
    }
    object = nullptr;
    hosted::settle();
    CHECK(root.used() == before);
}

TEST_CASE("history: without budget, travels are not remembered and nothing else changes") {
    Budget& root = hosted::kernel();
    Ref<Budget> small = Budget::create(root, 4096, root).take();
    Ref<Event> object = Event::create(*small).take();
    Charge all = small->charge(small->limit() - small->used()).take();
    object->note_transfer(TransferEvent::kTake, 1, 0, right::kRead);
    kairos_info_transfer_event travels[ObjectHistory::kTransferEvents];
    CHECK(object->history()->transfers(travels) == 0);
    CHECK(small->used() == small->limit());
    all.give_back();
    object->note_transfer(TransferEvent::kEnqueue, 1, 0, right::kRead);
    CHECK(object->history()->transfers(travels) == 1);
    object = nullptr;
    hosted::settle();
    CHECK(small->used() == 0);
    small = nullptr;
    hosted::settle();
}

TEST_CASE("lifecycle: a step that no life has stops a debug kernel and names the object") {
    Budget& root = hosted::kernel();
    Ref<Event> object = Event::create(root).take();
    Object* const broken = object.leak();
    CHECK_THROWS_AS(
        [&] {
            broken->release();  // queued, and DYING
            broken->release();  // once too often
        }(),
        hosted::Panic);
    CHECK(subject_of_panic() == broken);
    broken->retain();
}

namespace {

// What no handle can name: an object that is not registered yet.
class Unborn final : public Object {
  public:
    Unborn() : Object(ObjectType::kEvent, nullptr) {}

  private:
    void free_memory() override {}
};

}  // namespace

TEST_CASE("lifecycle: use of an object that is not in use warns, if it has an owner") {
    hosted::kernel();
    hosted::set_time({100 * RateLimit::kInterval});
    (void)hosted::take_log();
    Unborn object;
    object.expect_usable("signal");
    CHECK(hosted::take_log().empty());  // a borrowed pointer that came too late is no mistake
    object.add_owner(OwnerClass::kHandle);
    for (int i = 0; i < 20; ++i) object.expect_usable("signal");
    const std::string log = hosted::take_log();
    CHECK(log.find("warning: signal on object 0 of type 11, which is INIT") != std::string::npos);
    CHECK(std::count(log.begin(), log.end(), '\n') == RateLimit::kBurst);
    hosted::set_time({200 * RateLimit::kInterval});
    object.expect_usable("signal");
    CHECK(hosted::take_log().find("(12 more)") != std::string::npos);
}

TEST_CASE("owners: dropping what was never added warns and changes nothing") {
    hosted::kernel();
    hosted::set_time({300 * RateLimit::kInterval});
    (void)hosted::take_log();
    Unborn object;
    object.add_owner();
    for (const OwnerClass owner : {OwnerClass::kHandle, OwnerClass::kDescriptor}) {
        object.drop_owner(owner);
        CHECK(hosted::take_log().find("has no owner of class") != std::string::npos);
    }
    CHECK(object.owners(OwnerClass::kHandle) == 0);
    CHECK(object.owners(OwnerClass::kDescriptor) == 0);
    CHECK(object.owners(OwnerClass::kOther) == 1);
    CHECK(object.references() == 2);
}

TEST_CASE("owners: an audit passes over a change in progress and reports what persists") {
    Budget& root = hosted::kernel();
    uint64_t now = 400 * RateLimit::kInterval;
    hosted::set_time({now});
    (void)hosted::take_log();
    Ref<Event> object = Event::create(root).take();
    OwnedCap handle = OwnedCap::create_root(*object, right::kRead, root).take();
    object->audit_owners();
    object->add_owner(OwnerClass::kHandle);  // as a link in progress would look
    int rounds = 0;
    hosted::on_relax = [&] {
        hosted::set_time({now += 1'000'000});
        if (++rounds == 5) object->drop_owner(OwnerClass::kHandle);
    };
    object->audit_owners();
    CHECK(rounds == 5);
    CHECK(hosted::take_log().empty());

    object->add_owner(OwnerClass::kHandle);  // and this one stays
    object->audit_owners();
    CHECK(hosted::take_log().find(
              "2 handles and descriptors and 2 owners are counted, 1 are there") !=
          std::string::npos);
    hosted::on_relax = nullptr;
    object->drop_owner(OwnerClass::kHandle);
}

namespace {

// An object that publishes its readiness, or forgets to.
class Signpost final : public Object {
  public:
    Signpost() : Object(ObjectType::kEvent, nullptr) { publish(0); }
    uint32_t readiness() const override { return shown_; }
    void show(uint32_t ready, bool published) {
        LockGuard held(guard());
        shown_ = ready;
        if (published) publish(ready);
    }

  private:
    void free_memory() override {}
    uint32_t shown_ = 0;
};

}  // namespace

TEST_CASE("hints: a poll that finds the guard taken answers what was published") {
    hosted::kernel();
    Signpost object;
    object.show(KAIROS_POLLIN, true);
    CHECK(poll_readiness(object) == KAIROS_POLLIN);
    const uint64_t used = counter_total(Counter::poll_hints_used);
    std::thread poller;
    {
        // Another hart polls while this one holds the guard: it does not wait.
        LockGuard held(object.guard());
        poller = std::thread([&] {
            hosted::enter_hart({1});
            CHECK(poll_readiness(object) == KAIROS_POLLIN);
        });
        poller.join();
    }
    CHECK(counter_total(Counter::poll_hints_used) == used + 1);
}

TEST_CASE("hints: a change that was not published stops a strict kernel") {
    static_assert(kStrictPollHints);
    hosted::kernel();
    (void)hosted::take_log();
    Signpost object;
    const uint64_t mismatches = counter_total(Counter::poll_hint_mismatches);
    object.show(KAIROS_POLLOUT, false);
    LockGuard held(object.guard());
    CHECK_THROWS_AS(object.checked_readiness(), hosted::Panic);
    CHECK(hosted::take_log().find("readiness is 0x4, the hint 0x0") != std::string::npos);
    CHECK(subject_of_panic() == &object);
    CHECK(counter_total(Counter::poll_hint_mismatches) == mismatches + 1);
}

TEST_CASE("warnings: a burst at once, then one a second, with the number suppressed") {
    RateLimit limit;
    uint32_t suppressed = 99;
    Instant now{5'000'000'000};
    for (uint32_t i = 0; i < RateLimit::kBurst; ++i) {
        CHECK(limit.allows(now, &suppressed));
        CHECK(suppressed == 0);
    }
    for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.allows(now, &suppressed));
    now.nanoseconds += RateLimit::kInterval - 1;
    CHECK_FALSE(limit.allows(now, &suppressed));
    now.nanoseconds += 1;
    CHECK(limit.allows(now, &suppressed));
    CHECK(suppressed == 6);
    CHECK_FALSE(limit.allows(now, &suppressed));
    now.nanoseconds += 20 * RateLimit::kInterval;  // a long silence buys a burst again, no more
    for (uint32_t i = 0; i < RateLimit::kBurst; ++i) CHECK(limit.allows(now, &suppressed));
    CHECK_FALSE(limit.allows(now, &suppressed));
}
