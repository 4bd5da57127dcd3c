// shell: the program. See shell.hpp and docs/servers.md.
#include <cstdio>
#include <memory>

#include "apps/shell/shell.hpp"

int main() {
    auto port = kairos::Port::create();
    if (!port) {
        std::fprintf(stderr, "shell: cannot make a port: %s\n", kairos::text_of(port.error()));
        return 1;
    }
    const auto shell = std::make_unique<shell::Shell>(std::move(*port));  // large for a stack
    return shell->run();
}
