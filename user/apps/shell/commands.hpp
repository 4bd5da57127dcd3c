// The commands that `help` knows, and what each of them is entitled to.
#pragma once

#include <array>
#include <string_view>

namespace shell {

struct Command {
    std::string_view name;
    const char* arguments;
    const char* summary;
    // Why the program gets the SYSTEM resource, the authority to look at and to manage every
    // object; null: it does not get it, like every program that is not listed here.
    const char* why_system;
    bool built_in;
};

inline constexpr std::array kCommands = {
    Command{"cat", "[FILE...]", "print files, or what is typed", nullptr, false},
    Command{"cp", "FROM TO", "copy a file", nullptr, false},
    Command{"echo", "[WORD...]", "print words", nullptr, false},
    Command{"exit", "", "end this shell; a new one is started", nullptr, true},
    Command{"fault", "", "write through a null pointer", nullptr, false},
    Command{"grep", "[-cinv] TEXT [FILE...]", "the lines that have TEXT in them", nullptr, false},
    Command{"harts", "", "what each hart has done", "it reads the scheduler's counters", false},
    Command{"head", "[-n LINES] [FILE...]", "the first lines", nullptr, false},
    Command{"help", "[COMMAND]", "list the commands, or describe one", nullptr, true},
    Command{"kill", "ID...", "end processes", "it opens processes that others started", false},
    Command{"lua", "[SCRIPT [WORD...]]", "the Lua interpreter", nullptr, false},
    Command{"ls", "[FOLDER|FILE...]", "list files: of /boot, the archive, or of /tmp", nullptr,
            false},
    Command{"mem", "", "how much memory there is and is used", "it reads the system's totals",
            false},
    Command{"objects", "[TYPE|ID]", "count, list or describe kernel objects",
            "it looks at objects of every process", false},
    Command{"ps", "", "list the processes", "it looks at processes that others started", false},
    Command{"rm", "FILE...", "remove files", nullptr, false},
    Command{"shutdown", "[STATUS]", "power off", "it powers the machine off", false},
    Command{"sort", "[FILE...]", "print lines in their order", nullptr, false},
    Command{"spawn", "COMMAND [WORD...]", "run a program in the background, as `COMMAND &` does",
            nullptr, true},
    Command{"stat", "[SECONDS [ROUNDS]]", "the kernel's counters, or what each interval adds",
            "it reads the kernel's counters", false},
    Command{"spin", "", "run until killed", nullptr, false},
    Command{"tee", "[-a] FILE", "print what comes, and write it into a file", nullptr, false},
    Command{"time", "COMMAND [WORD...]", "run a command and say how long it took", nullptr, true},
    Command{"top", "[SECONDS [ROUNDS]]", "where the time goes, by hart and by thread",
            "it looks at the threads of every process", false},
    Command{"trace", "[-k KIND,...] [-o OBJECT] ...", "show what the kernel does, live",
            "it reads and switches the kernel's trace", false},
    Command{"true", "", "do nothing, successfully", nullptr, false},
    Command{"wc", "[-clw] [FILE...]", "count lines, words and bytes", nullptr, false},
};

// The command called `name`; null if it is not listed.
constexpr const Command* find_command(std::string_view name) {
    for (const Command& command : kCommands) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

}  // namespace shell
