// The memory of Mapping records: charged to a budget, and made before anything changes, so that
// what comes after cannot fail.
#pragma once

#include <utility>

#include "memory/mapping.h"

// Owns a record that is in no address space. Gives memory and charge back when it goes, and drops
// the record's reference to its view: no lock is held then. Move-only.
class MappingRecord {
  public:
    MappingRecord() = default;
    // One that was taken out of an address space.
    MappingRecord(Mapping& mapping, Budget& budget) : mapping_(&mapping), budget_(&budget) {}
    MappingRecord(MappingRecord&& other) noexcept
        : mapping_(std::exchange(other.mapping_, nullptr)), budget_(other.budget_) {}
    MappingRecord& operator=(MappingRecord&& other) noexcept {
        std::swap(mapping_, other.mapping_);
        std::swap(budget_, other.budget_);
        return *this;
    }
    ~MappingRecord();

    // The budget outlives the record. -EDQUOT, -ENOMEM.
    static Result<MappingRecord> create(Budget& budget);

    explicit operator bool() const { return mapping_ != nullptr; }
    Mapping* operator->() const { return mapping_; }
    // Enters an address space, which keeps it.
    Mapping& leak() { return *std::exchange(mapping_, nullptr); }

  private:
    Mapping* mapping_ = nullptr;
    Budget* budget_ = nullptr;
};
