// One line of the manifest as it lives: the channels that outlast its process, the process, and
// when it is to be started again.
#pragma once

#include <kairos/channel.hpp>
#include <kairos/process.hpp>

#include <optional>

#include "protocols/names.h"
#include "servers/init/manifest.hpp"
#include "servers/init/restart_policy.hpp"

namespace init {

struct Program {
    const Entry* entry = nullptr;
    char name[KAIROS_NAME_MAX] = {};
    char path[64] = {};

    // The service that it provides: `first` is where connections arrive, `second` where they are
    // sent. init keeps both, so that connections made while the server is away wait for it.
    kairos::Channel::Ends service;

    // Its view of the services: `first` is the name server's end, `second` the names handle of
    // which it gets duplicates. init keeps both, so that handles outlast the name server.
    kairos::Channel::Ends view;

    kairos::Process process;                // empty: it does not run
    std::optional<kairos_time_t> start_at;  // it does not run yet
    RestartPolicy policy;
};

}  // namespace init
