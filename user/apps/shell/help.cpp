// Banner and help; see the header.
#include "apps/shell/help.hpp"

#include <cinttypes>
#include <cstdio>

#include "apps/common/version.hpp"
#include "apps/shell/commands.hpp"
#include "apps/shell/launcher.hpp"

namespace shell {

namespace {

void print_summary(Terminal& terminal, const Command& command) {
    char usage[48];
    std::snprintf(usage, sizeof(usage), "%s %s", command.name.data(), command.arguments);
    terminal.print("  %-24s  %s\n", usage, command.summary);
}

void print_command(Terminal& terminal, const Command& command) {
    print_summary(terminal, command);
    if (command.built_in) terminal.write("It is part of the shell.\n");
    if (command.why_system == nullptr) return;
    terminal.print("It gets the authority to look at and manage every object: %s.\n",
                   command.why_system);
}

}  // namespace

void print_banner(Terminal& terminal) {
    kairos_info_system system = {};
    const kairos_status_t status = kairos_object_info(kairos_bootstrap(KAIROS_BOOT_RESOURCE),
                                                      KAIROS_INFO_SYSTEM, &system, sizeof(system));
    terminal.print("\nKairos %s", common::kVersion);
    if (status >= 0) {
        terminal.print(" on %u hart%s, %" PRIu64 " MiB", system.harts, system.harts == 1 ? "" : "s",
                       system.memory_total >> 20);
    }
    terminal.write("\nType 'help' for the commands, 'cat welcome.txt' for an introduction.\n\n");
}

void print_help(Terminal& terminal, const char* about) {
    if (about != nullptr) {
        const Command* command = find_command(about);
        if (command == nullptr) {
            terminal.print("help: no such command: %s\n", about);
        } else {
            print_command(terminal, *command);
        }
        return;
    }
    for (const Command& command : kCommands) print_summary(terminal, command);
    terminal.write(
        "\nAny other word runs the program of that name in the boot archive. 'WORD &' runs it in\n"
        "the background; quote with ' \" or \\. Up and Down bring back what was typed, Ctrl-C "
        "stops\n"
        "the program in the foreground.\n");
}

}  // namespace shell
