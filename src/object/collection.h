// Collection: finds endpoints that nobody can reach any more, because they are owned only by
// handles in each other's queues, and closes them.
//
// An endpoint is *reachable* if it is held (object/transit.h), or a handle to it has a reachable
// carrier. What is not reachable never becomes so again: a handle leaves a queue only with a
// message, and messages are received only by those who have the endpoint.
//
// An endpoint that is not held any more, or has lost one of several owners, while it is in flight
// and carries endpoints itself, is a *suspect*. (One that carries none is on no cycle: if its
// carriers go, it goes with them.) From a suspect a search follows carriers backwards:
//
//     suspect <── its carriers <── their carriers <── …        none is held: it is lost
//
// A lost endpoint is closed, which drops its queue, which takes an owner from all that it carried;
// so whatever was reachable only through it becomes a suspect or goes at once.
//
// The search runs beside everything else, under no lock but for each step, in two passes. The
// first visits: at its own moment each endpoint is seen not to be held, and its carriers are noted.
// The second confirms that no handle to any of them has come out of a queue since. Then, between
// the passes, all of them were unheld and carried by each other alone, which lasts. If one has come
// out, the suspect was reachable after it became one, and whoever takes that way to it again makes
// another suspect.
//
//     the search                              a process that has A
//     1 enters X: unheld, carried by B
//     2 enters B: unheld, carried by A
//                                             3 receives B from A: B arrives, and is held
//                                             4 closes A
//     5 enters A: unheld, carried by nobody
//     6 confirms X, then B: it has arrived, so X is not lost
//
//
// There is one search at a time, a step of which anybody may do: those that cause suspects, on
// their way out of the kernel, and idle harts. So nobody waits for a search that somebody less
// important has begun.
#pragma once

#include <cstdint>

#include "object/object.h"

class Collection {
  public:
    // `endpoint` has stopped being held, or has lost an owner. Makes it a suspect if it can be
    // lost. May be called with the channel's lock held.
    static void consider(Object& endpoint, const Transit& transit);

    // Suspects so far; a number for done_up_to.
    static uint64_t suspects();
    static bool done_up_to(uint64_t suspects);
    // A bounded piece of what is to be done. False if there is nothing. No lock is held.
    static bool work_a_piece();

  private:
    static void add(Object& endpoint);
    static bool step(Ref<Object>& lost);
    static bool begin();
    static void visit(Object& endpoint);
    static bool enter();
    static void follow();
    static bool confirm();
    static bool leave();
};
