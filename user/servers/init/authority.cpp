// Cutting authority; see the header.
#include "servers/init/authority.hpp"

#include "protocols/boot.h"

namespace init {

kairos::Result<AuthorityCutter> AuthorityCutter::create(kairos::Resource root,
                                                        kairos::Memory archive) {
    kairos_info_platform platform;
    const kairos_status_t status =
        kairos_object_info(root.get(), KAIROS_INFO_PLATFORM, &platform, sizeof(platform));
    if (status < 0) return kairos::failure(status);
    return AuthorityCutter(std::move(root), std::move(archive), platform);
}

kairos::Result<> AuthorityCutter::cut(uint32_t authorities, Launch& launch) const {
    if ((authorities & kArchive) != 0) {
        launch.gifts().add_duplicate(KAIROS_BOOT_ARCHIVE, archive_);
    } else {
        launch.gifts().withhold(KAIROS_BOOT_ARCHIVE);
    }
    kairos::Result<> result;
    if ((authorities & kSystem) != 0) {
        result = add_resource(launch, KAIROS_BOOT_RESOURCE, KRESOURCE_SYSTEM);
    }
    if (result && (authorities & kUart) != 0) result = add_uart(launch);
    return result;
}

kairos::Result<> AuthorityCutter::add_resource(Launch& launch, uint32_t which, uint32_t kind,
                                               uint64_t base, uint64_t size) const {
    auto resource = root_.narrow(kind, base, size);
    if (!resource) return std::unexpected(resource.error());
    launch.gifts().add(which, std::move(*resource));
    return {};
}

// The registers' pages and the interrupt line; the arguments say which they are. Device memory is
// handed out in whole pages, as it is mapped.
kairos::Result<> AuthorityCutter::add_uart(Launch& launch) const {
    constexpr uint64_t kPageMask = KAIROS_PAGE_SIZE - 1;
    const uint64_t first = platform_.uart_base & ~kPageMask;
    const uint64_t end = (platform_.uart_base + platform_.uart_size + kPageMask) & ~kPageMask;
    kairos::Result<> result =
        add_resource(launch, KAIROS_BOOT_UART_MMIO, KRESOURCE_MMIO, first, end - first);
    if (!result) return result;
    result = add_resource(launch, KAIROS_BOOT_UART_INTERRUPT, KRESOURCE_INTERRUPT,
                          platform_.uart_interrupt, 1);
    if (!result) return result;
    launch.add_argument(platform_.uart_base);
    launch.add_argument(end - first);
    launch.add_argument(platform_.uart_interrupt);
    return {};
}

}  // namespace init
