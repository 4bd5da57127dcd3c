// The services that can be asked for, and where connections to each of them go.
#pragma once

#include <kairos/channel.hpp>

#include <array>
#include <string_view>

#include "apps/common/text_field.hpp"
#include "protocols/names.h"

namespace names {

class Services {
  public:
    static constexpr size_t kMax = 32;

    // Gives `name` the connector, in place of the one it had. False if the table is full.
    bool set(std::string_view name, kairos::Channel connector) {
        Service* service = find(name);
        if (service == nullptr) service = find({});
        if (service == nullptr) return false;
        common::write_field(service->name, name);
        service->connector = std::move(connector);
        return true;
    }

    void remove(std::string_view name) {
        if (Service* service = find(name)) *service = {};
    }

    // Where connections to `name` go; null if there is no such service.
    const kairos::Channel* connector(std::string_view name) {
        const Service* service = find(name);
        return service != nullptr ? &service->connector : nullptr;
    }

  private:
    struct Service {
        char name[KAIROS_NAME_MAX] = {};  // empty: this place is free
        kairos::Channel connector;
    };

    Service* find(std::string_view name) {
        for (Service& service : services_) {
            if (service.name == name) return &service;
        }
        return nullptr;
    }

    std::array<Service, kMax> services_;
};

}  // namespace names
