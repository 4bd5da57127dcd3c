// Starts the programs of the manifest and keeps them running.
//
// A server's channels are made here, once, before anything runs; a process only ever gets
// duplicates. So the order of starting does not matter to clients, a service's name stays good
// over a restart, and what was asked meanwhile waits in the channel. What a restart does break is
// every connection that the dead process had: its clients see their peer closed and connect anew.
#pragma once

#include <kairos/port.hpp>

#include <array>
#include <span>

#include "servers/init/authority.hpp"
#include "servers/init/manifest.hpp"
#include "servers/init/program.hpp"
#include "servers/init/registry.hpp"

namespace init {

class Supervisor {
  public:
    // `port` brings the ends of programs.
    Supervisor(const AuthorityCutter& authority, kairos::Port port)
        : authority_(authority), port_(std::move(port)) {}

    // Makes the channels for the programs of `manifest`, which must outlive the supervisor.
    // -EINVAL (logged) if a name is too long; errors of making channels.
    kairos::Result<> prepare(const Manifest& manifest);

    // Starts everything, and supervises it until nothing is left to do: the exit code for init,
    // 1 when an essential program is lost.
    int run();

  private:
    std::span<Program> programs() { return std::span(programs_).first(count_); }

    kairos::Result<> prepare(const Entry& entry, Program& program);
    void start(Program& program);
    kairos::Result<> spawn(Program& program);
    kairos::Result<> give_registry(Launch& launch);
    void introduce_to_names();
    void on_end(Program& program);
    void after_end(Program& program, const char* what, bool failed);
    void lose(Program& program);
    bool has_work();
    kairos_time_t next_start();
    void start_due();

    const AuthorityCutter& authority_;
    Registry registry_;
    kairos::Port port_;  // a program's end comes with its place in programs_ as the key
    std::array<Program, Manifest::kEntriesMax> programs_;
    size_t count_ = 0;
    bool essential_lost_ = false;
};

}  // namespace init
