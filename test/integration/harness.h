// A tiny test harness. A program is one file:
//
//     #include "harness.h"
//
//     TEST("a closed handle is no handle") {
//         Owned event = make_event();
//         ...
//         EXPECT_STATUS(-EBADF, kairos_handle_close(event, 0));
//     }
//
// Each case runs in a process of its own, and after it the process has to hold the same handles and
// the system the same objects and memory as before: see isolation.h and leaks.h. A case may start
// further processes of the same program, which run a ROLE("name") { ... return exit_code; }.
//
// Whoever includes this gets main.
#pragma once

#include "isolation.h"
#include "leaks.h"
#include "report.h"

#define HARNESS_JOIN(a, b) HARNESS_JOIN_EXPANDED(a, b)
#define HARNESS_JOIN_EXPANDED(a, b) a##b

#define TEST(name)                                                      \
    static void HARNESS_JOIN(case_, __LINE__)();                        \
    static harness::RegisteredCase HARNESS_JOIN(registered_, __LINE__)( \
        name, HARNESS_JOIN(case_, __LINE__));                           \
    static void HARNESS_JOIN(case_, __LINE__)()

#define ROLE(name)                                                                                 \
    static int HARNESS_JOIN(role_, __LINE__)();                                                    \
    static harness::Role HARNESS_JOIN(registered_, __LINE__)(name, HARNESS_JOIN(role_, __LINE__)); \
    static int HARNESS_JOIN(role_, __LINE__)()

int main(int argc, char** argv) { return harness::run(argc, argv); }
