// Files as the streams of programs.
#pragma once

#include <kairos/handle.hpp>

namespace shell {

enum class FileUse { Read, Replace, Append };

// A stream of bytes from or to the file called `name`, which any program takes as its STDIN or
// STDOUT. Errors of the file server.
kairos::Result<kairos::Handle> open_file(const char* name, FileUse use);

}  // namespace shell
