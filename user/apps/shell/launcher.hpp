// Starts programs with exactly the handles that they are meant to have.
#pragma once

#include <kairos/process.hpp>

#include "apps/shell/pipeline.hpp"

namespace shell {

// Starts the program `arguments[0]`, a file of the boot archive. It gets its own duplicates of the
// streams that are not empty, of our names handle, and of our SYSTEM resource if its Command says
// why. Errors as kairos_spawn: -ENOENT no such program, -ENOEXEC not a program.
kairos::Result<kairos::Process> launch(char* const arguments[], const Streams& streams);

// Our SYSTEM resource.
const kairos::Handle& system_resource();

}  // namespace shell
