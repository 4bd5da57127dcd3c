// shutdown [STATUS]: powers the machine off; STATUS (0 to 255, usually 0) is what the emulator
// ends with. Needs the SYSTEM resource.
//
// Nothing has to be brought to safety before: no server keeps state that outlives the machine.
#include <cstring>

#include "apps/common/complain.hpp"
#include "apps/common/number.hpp"
#include "apps/common/system.hpp"

int main(int argc, char** argv) {
    const auto exit_status = common::parse_number(argc > 1 ? argv[1] : "0");
    if (argc > 2 || !exit_status || *exit_status > 255) {
        return common::usage("shutdown", "[STATUS]");
    }
    // Past the console server, which would not have printed it by the time the power is off.
    constexpr char kGoodbye[] = "Power off.\n";
    kairos_debug_write(kGoodbye, std::strlen(kGoodbye));
    const kairos_status_t status =
        kairos_system_power(common::system_resource(), static_cast<uint32_t>(*exit_status));
    return common::complain("shutdown", "cannot power off", kairos::failure(status).error());
}
