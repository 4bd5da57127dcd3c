// kill ID...: ends processes. Needs the SYSTEM resource.
#include "apps/common/complain.hpp"
#include "apps/common/number.hpp"
#include "apps/common/system.hpp"

namespace {

constexpr int64_t kKilledCode = 137;  // as elsewhere in the world

int kill(const char* word) {
    const auto id = common::parse_number(word);
    if (!id) return common::complain("kill", word, kairos::Error::INVAL);
    const auto object = common::open_object(*id, KRIGHT_MANAGE);
    if (!object) return common::complain("kill", word, object.error());
    const kairos_status_t status = kairos_process_kill(object->get(), kKilledCode);
    if (status == -ENOTSUP) {
        std::fprintf(stderr, "kill: %s is not a process\n", word);
        return 1;
    }
    return status < 0 ? common::complain("kill", word, kairos::failure(status).error()) : 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return common::usage("kill", "ID...");
    int result = 0;
    for (int i = 1; i < argc; ++i) result |= kill(argv[i]);
    return result;
}
