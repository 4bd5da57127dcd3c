// Which case runs where. The program's first process runs no case itself: it starts a process of
// the same program for each, so a case that faults, hangs or loses something harms no other, and
// compares what the whole system holds before and after.
//
//     PROGRAM                   all cases
//     PROGRAM WORD              those whose name contains WORD
//     PROGRAM --here [WORD]     in this process, one after the other (to debug)
//     PROGRAM --case NUMBER     one case; what the first process starts
//     PROGRAM --role NAME       a ROLE: what cases start, with kairos_spawn("self", ...)
//
// Prints `ok NAME` or `FAIL NAME: reason` for each case, and at the end `done N cases`. The exit
// status is 0 if none failed.
#pragma once

#include <stdlib.h>

#include "counter_total.h"
#include "leaks.h"
#include "report.h"

namespace harness {

struct Case {
    const char* name;
    void (*run)();
};

// A TEST, in the order in which they are written.
struct RegisteredCase : Case {
    RegisteredCase(const char* name, void (*run)()) : Case{name, run} {
        (first == nullptr ? first : last->next) = this;
        last = this;
    }
    RegisteredCase* next = nullptr;
    static inline RegisteredCase* first = nullptr;
    static inline RegisteredCase* last = nullptr;
};

struct Role {
    Role(const char* name, int (*run)()) : name(name), run(run), next(first) { first = this; }
    const char* name;
    int (*run)();
    Role* next;
    static inline Role* first = nullptr;
};

inline char* program_name = nullptr;
inline int role_argc = 0;  // what follows the name of the role
inline char** role_argv = nullptr;

// Runs nothing.
inline constexpr uint32_t kNoCase = UINT32_MAX;

// A case that takes longer hangs. Far more than any needs, on a slow machine too.
inline constexpr uint64_t kHangSeconds = 150;

// ---- One case, in this process
// -------------------------------------------------------------------

// The SDK keeps the heap's memory and the stack of the last thread that ended: from here on it has
// both.
inline void warm_up_sdk() {
    void* volatile kept_from_optimization = malloc(1);
    free(kept_from_optimization);
    kairos_handle_t thread = KAIROS_HANDLE_INVALID;
    if (kairos_thread_spawn([](void*) {}, nullptr, &thread) < 0) return;
    kairos_thread_join(thread, KAIROS_TIME_INFINITE);
    kairos_handle_close(thread, 0);
}

inline bool run_here(const Case& test) {
    running.name = test.name;
    running.failures = 0;
    const Holdings before = Holdings::settled();
    test.run();
    const Holdings after = before.wait_until_back(Holdings::kHandles | Holdings::kObjects);
    if (after.handles != before.handles) {
        fail(__FILE__, __LINE__, "the process has %ld handles more than before",
             static_cast<long>(after.handles - before.handles));
    } else if (after.objects > before.objects) {
        fail(__FILE__, __LINE__, "there are %ld objects more than before",
             static_cast<long>(after.objects - before.objects));
    }
    return running.failures == 0;
}

// ---- One case, in a process of its own
// -----------------------------------------------------------

inline const char* thread_state_name(uint32_t state) {
    constexpr const char* kNames[] = {"new", "ready", "running", "blocked", "ended"};
    return state < sizeof(kNames) / sizeof(kNames[0]) ? kNames[state] : "?";
}

// What the threads of a process that hangs are doing.
inline void print_threads(kairos_handle_t process) {
    kairos_info_basic self{};
    kairos_object_info(process, KAIROS_INFO_BASIC, &self, sizeof(self));
    const kairos_handle_t resource = kairos_bootstrap(KAIROS_BOOT_RESOURCE);
    kairos_object_entry entry{};
    while (kairos_system_list(resource, KOBJ_TYPE_THREAD, entry.id, &entry, 1) == 1) {
        kairos_handle_t thread = KAIROS_HANDLE_INVALID;
        if (kairos_system_open(resource, entry.id, KRIGHT_READ, &thread) < 0) continue;
        kairos_info_thread info{};
        kairos_object_info(thread, KAIROS_INFO_THREAD, &info, sizeof(info));
        kairos_handle_close(thread, 0);
        if (info.process_id != self.id) continue;
        print("    thread %llu '%s' is %s on hart %u", static_cast<unsigned long long>(entry.id),
              info.name, thread_state_name(info.state), info.hart);
    }
}

inline bool judge_end(const Case& test, kairos_handle_t process) {
    int64_t code = 0;
    const kairos_time_t deadline = kairos_clock_now() + kHangSeconds * 1'000'000'000;
    if (kairos_process_wait(process, deadline, &code) == -ETIMEDOUT) {
        print("FAIL %s: hangs", test.name);
        print_threads(process);
        kairos_process_kill(process, kFailed);
        kairos_process_wait(process, KAIROS_TIME_INFINITE, nullptr);
        return false;
    }
    if (code == kPassed || code == kFailed) return code == kPassed;
    kairos_info_process info{};
    kairos_object_info(process, KAIROS_INFO_PROCESS, &info, sizeof(info));
    if (code == -EFAULT) {
        print("FAIL %s: fault, cause %llu, pc 0x%llx, address 0x%llx", test.name,
              static_cast<unsigned long long>(info.fault_cause),
              static_cast<unsigned long long>(info.fault_pc),
              static_cast<unsigned long long>(info.fault_address));
    } else {
        print("FAIL %s: exit code %s", test.name, text_of(code).chars);
    }
    return false;
}

inline bool run_apart(const Case& test, uint32_t number) {
    char digits[12];
    snprintf(digits, sizeof(digits), "%u", static_cast<unsigned>(number));
    char option[] = "--case";
    char* arguments[] = {program_name, option, digits, nullptr};

    kairos_handle_t resource = KAIROS_HANDLE_INVALID;
    kairos_handle_duplicate(kairos_bootstrap(KAIROS_BOOT_RESOURCE), KRIGHT_SAME, &resource);
    const kairos_spawn_handle give = {KAIROS_BOOT_RESOURCE, resource};
    kairos_handle_t process = KAIROS_HANDLE_INVALID;
    const kairos_status_t started = kairos_spawn("self", arguments, &give, 1, &process);
    if (started < 0) {
        print("FAIL %s: cannot be started: %s", test.name, text_of(started).chars);
        kairos_handle_close(resource, 0);
        return false;
    }
    const bool passed = judge_end(test, process);
    kairos_handle_close(process, 0);
    return passed;
}

// Runs a case and compares with `before`, which is renewed if something is missing, so that one
// leak is not blamed on all that follow.
inline bool run_and_compare(const Case& test, uint32_t number, Holdings& before) {
    const bool passed = run_apart(test, number);
    const Holdings after = before.wait_until_back(Holdings::kAll);
    if (after.objects < before.objects) before.objects = after.objects;
    if (after.is_back(before, Holdings::kAll)) return passed;
    print(passed
              ? "FAIL %s: when its process had gone there were %ld handles, %ld objects, %ld KiB "
                "more in use, %ld bytes charged to nobody"
              : "    also, %s: when its process had gone there were %ld handles, %ld objects, %ld "
                "KiB more in use, %ld bytes charged to nobody",
          test.name, static_cast<long>(after.handles - before.handles),
          static_cast<long>(after.objects - before.objects),
          static_cast<long>((before.memory_free - after.memory_free) / 1024),
          static_cast<long>(after.uncharged));
    before = Holdings::settled();
    return false;
}

// ---- The program
// ---------------------------------------------------------------------------------

inline int run_cases(const char* word, bool here) {
    uint32_t count = 0;
    uint32_t failed = 0;
    Holdings before{};
    if (!here) {
        // What is made once, by the first process that is started, is not a leak.
        run_apart({"the first process", nullptr}, kNoCase);
        before = Holdings::settled();
    }
    uint32_t number = 0;
    for (const auto* test = RegisteredCase::first; test != nullptr; test = test->next, ++number) {
        if (word != nullptr && strstr(test->name, word) == nullptr) continue;
        ++count;
        if (here ? run_here(*test) : run_and_compare(*test, number, before)) {
            print("ok %s", test->name);
        } else {
            ++failed;
        }
    }
    // A debug kernel compares by itself whenever nothing happens.
    if (!here && counter_total("budget_mismatches") != 0) {
        print("FAIL the end: charges were not what was allocated while all harts slept");
        ++failed;
    }
    print("done %u cases", static_cast<unsigned>(count));
    return failed == 0 ? 0 : 1;
}

inline int run_number(uint32_t number) {
    warm_up_sdk();
    const RegisteredCase* test = RegisteredCase::first;
    for (; test != nullptr && number != 0; --number) test = test->next;
    if (test == nullptr) return kPassed;
    return static_cast<int>(run_here(*test) ? kPassed : kFailed);
}

inline int run_role(const char* name) {
    running.name = name;
    for (const Role* role = Role::first; role != nullptr; role = role->next) {
        if (strcmp(role->name, name) == 0) return role->run();
    }
    return -ENOENT;
}

inline int run(int argc, char** argv) {
    program_name = argv[0];
    const char* first = argc > 1 ? argv[1] : nullptr;
    const char* second = argc > 2 ? argv[2] : nullptr;
    if (first == nullptr) return run_cases(nullptr, false);
    if (strcmp(first, "--here") == 0) {
        warm_up_sdk();
        return run_cases(second, true);
    }
    if (second == nullptr) return run_cases(first, false);
    if (strcmp(first, "--case") == 0) {
        return run_number(static_cast<uint32_t>(strtoul(second, nullptr, 10)));
    }
    role_argc = argc - 3;
    role_argv = argv + 3;
    return run_role(second);
}

}  // namespace harness
