// Where objects go whose last owner has gone and who have something to wind up, and those whose
// last reference has gone. Dropping a reference only queues the object, so it may be done under any
// lock and from any depth; a hart takes its queue down on its way out of the kernel, or while idle,
// one bounded piece at a time and never recursively: an object found inside another is queued
// behind it.
#pragma once

#include "object/object.h"

class Graveyard {
  public:
    // Queues, on this hart, an object to be wound up (the queue then counts a reference) or one
    // without references.
    static void queue(Object& object);
    // Takes down all that this hart has queued, in the current thread, which may be preempted
    // between pieces and keeps what is left with it. No lock is held.
    static void drain();
    // One piece, for the idle loop. False when there is nothing to do.
    static bool work_a_piece();
    // Nothing is queued on this hart.
    static bool empty();

  private:
    static bool take_down_a_piece(Object*& list);
    static bool do_a_piece(Object& object);
    static void finish(Object& object);
};
