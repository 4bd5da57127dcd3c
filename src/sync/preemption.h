// The places where long kernel work lets others run.
#pragma once

// Lets pending interrupts in and, if somebody more important is ready, runs them first. May come
// back on another hart. No lock is held, nothing per-hart is remembered across it, and every
// pointer kept across it is counted. Called every few thousand instructions of work whose
// length a user decides. An idle hart only lets interrupts in. (sched/scheduler.cpp)
void preemption_point();
