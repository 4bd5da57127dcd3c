// Starting and supervising programs; see the header.
#include "servers/init/supervisor.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "apps/common/process_end.hpp"
#include "apps/common/text_field.hpp"
#include "protocols/boot.h"
#include "servers/init/log.hpp"

namespace init {

namespace {

constexpr size_t kTextMax = 200;  // bytes of a sentence about a program

kairos::Result<> make_ends(kairos::Channel::Ends& ends) {
    auto made = kairos::Channel::create();
    if (!made) return std::unexpected(made.error());
    ends = std::move(*made);
    return {};
}

}  // namespace

kairos::Result<> Supervisor::prepare(const Manifest& manifest) {
    for (const Entry& entry : manifest) {
        const auto prepared = prepare(entry, programs_[count_]);
        if (!prepared) return prepared;
        ++count_;
    }
    return {};
}

kairos::Result<> Supervisor::prepare(const Entry& entry, Program& program) {
    program.entry = &entry;
    const bool fits = common::write_field(program.name, entry.name) &&
                      common::write_field(program.path, entry.program) &&
                      entry.provides.size() < KAIROS_NAME_MAX;
    if (!fits) {
        log("the manifest's line for %.*s has a name that is too long",
            static_cast<int>(entry.name.size()), entry.name.data());
        return std::unexpected(kairos::Error::INVAL);
    }
    kairos::Result<> made;
    if (!entry.provides.empty()) made = make_ends(program.service);
    if (made && !entry.names.empty()) made = make_ends(program.view);
    return made;
}

int Supervisor::run() {
    for (Program& program : programs()) start(program);
    while (!essential_lost_ && has_work()) {
        if (const auto packet = port_.wait(next_start())) on_end(programs_[packet->key]);
        start_due();
    }
    log(essential_lost_ ? "an essential program is lost, the machine stops"
                        : "nothing is left to run, the machine stops");
    return essential_lost_ ? 1 : 0;
}

bool Supervisor::has_work() {
    return std::ranges::any_of(programs(), [](const Program& program) {
        return program.process || program.start_at.has_value();
    });
}

kairos_time_t Supervisor::next_start() {
    kairos_time_t next = KAIROS_TIME_INFINITE;
    for (const Program& program : programs()) {
        next = std::min(next, program.start_at.value_or(KAIROS_TIME_INFINITE));
    }
    return next;
}

void Supervisor::start_due() {
    const kairos_time_t now = kairos_clock_now();
    for (Program& program : programs()) {
        if (program.start_at.has_value() && *program.start_at <= now) start(program);
    }
}

void Supervisor::start(Program& program) {
    program.start_at.reset();
    const auto started = spawn(program);
    if (started) return;
    char what[kTextMax];
    std::snprintf(what, sizeof(what), "(%s) cannot be started: %s", program.path,
                  kairos::text_of(started.error()));
    after_end(program, what, true);
}

// Everything that the program is to have, and nothing else.
kairos::Result<> Supervisor::spawn(Program& program) {
    Launch launch(program.name);
    launch.gifts().add_duplicate(KAIROS_BOOT_LISTEN, program.service.first,
                                 KRIGHT_READ | KRIGHT_WAIT | KRIGHT_TRANSFER);
    launch.gifts().add_duplicate(KAIROS_BOOT_NAMES, program.view.second,
                                 KRIGHT_WRITE | KRIGHT_TRANSFER | KRIGHT_DUPLICATE);
    const auto cut = authority_.cut(program.entry->gets, launch);
    if (!cut) return cut;
    if ((program.entry->gets & kRegistry) != 0) {
        const auto given = give_registry(launch);
        if (!given) return given;
    }
    auto process = launch.spawn(program.path);
    if (!process) return std::unexpected(process.error());
    program.process = std::move(*process);
    const auto key = static_cast<uint64_t>(&program - programs_.data());
    return port_.bind(program.process, key, KPORT_BIND_TERMINATED);
}

kairos::Result<> Supervisor::give_registry(Launch& launch) {
    auto server_end = registry_.begin();
    if (!server_end) return std::unexpected(server_end.error());
    launch.gifts().add(KAIROS_BOOT_REGISTRY, std::move(*server_end));
    introduce_to_names();
    return {};
}

// A name server begins with nothing; all of this waits for it in its registry channel.
void Supervisor::introduce_to_names() {
    for (const Program& program : programs()) {
        if (program.service.second) {
            registry_.add_service(program.entry->provides, program.service.second);
        }
        if (program.view.first) {
            registry_.add_view(program.entry->names, program.view.first);
        }
    }
}

void Supervisor::on_end(Program& program) {
    if (!program.process) return;
    const kairos_info_process info = program.process.info().value_or(kairos_info_process{});
    program.process.reset();
    char what[kTextMax];
    common::describe_end(info, what);
    after_end(program, what, info.exit_code != 0);
}

void Supervisor::after_end(Program& program, const char* what, bool failed) {
    if (!program.entry->restart) {
        log("%s %s", program.name, what);
        lose(program);
        return;
    }
    const kairos_time_t now = kairos_clock_now();
    program.start_at = program.policy.after_end(now, failed);
    if (program.start_at.has_value()) {
        log("%s %s; it starts again in %" PRIu64 " ms", program.name, what,
            (*program.start_at - now) / kairos::kMillisecond);
    } else {
        log("%s %s; it is given up after %zu failures within %" PRIu64 " s", program.name, what,
            RestartPolicy::kFailuresMax + 1, RestartPolicy::kWindow / kairos::kSecond);
        lose(program);
    }
}

// Nobody will answer for it any more: those who wait for it are told so.
void Supervisor::lose(Program& program) {
    if (program.service.second) registry_.remove_service(program.entry->provides);
    program.service = {};
    program.view = {};
    essential_lost_ = essential_lost_ || program.entry->essential;
}

}  // namespace init
