// Starting further processes of the running test program.
#pragma once

#include <initializer_list>

#include "isolation.h"
#include "owned.h"

// Starts the ROLE `name`. The handles of `give` move to it on success.
inline kairos_status_t try_spawn_role(const char* name, const kairos_spawn_handle* give, size_t n,
                                      kairos_handle_t* process,
                                      kairos_handle_t budget = KAIROS_HANDLE_INVALID) {
    char option[] = "--role";
    char* arguments[] = {harness::program_name, option, const_cast<char*>(name), nullptr};
    return kairos_spawn_in(budget, "self", arguments, give, n, process);
}

inline Owned spawn_role(const char* name, std::initializer_list<kairos_spawn_handle> give = {},
                        kairos_handle_t budget = KAIROS_HANDLE_INVALID) {
    Owned process;
    REQUIRE_STATUS(0, try_spawn_role(name, give.begin(), give.size(), process.out(), budget));
    return process;
}

inline int64_t exit_code_of(kairos_handle_t process) {
    int64_t code = 0;
    REQUIRE_STATUS(0, kairos_process_wait(process, KAIROS_TIME_INFINITE, &code));
    return code;
}

// Runs a ROLE to its end; its exit code.
inline int64_t run_role(const char* name, std::initializer_list<kairos_spawn_handle> give = {}) {
    return exit_code_of(spawn_role(name, give));
}
