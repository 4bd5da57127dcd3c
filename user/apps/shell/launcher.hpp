// Starts programs with exactly the handles that they are meant to have.
#pragma once

#include <kairos/channel.hpp>
#include <kairos/process.hpp>

namespace shell {

// Starts the program `arguments[0]`, a file of the boot archive. It gets its own duplicates of
// `output` for STDOUT and STDERR, of `input` (unless empty) for STDIN, of our names handle, and of
// our SYSTEM resource if its Command says why. Errors as kairos_spawn: -ENOENT no such program,
// -ENOEXEC not a program.
kairos::Result<kairos::Process> launch(char* const arguments[], const kairos::Channel& input,
                                       const kairos::Channel& output);

// Our SYSTEM resource.
const kairos::Handle& system_resource();

}  // namespace shell
