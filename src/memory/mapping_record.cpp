#include "memory/mapping_record.h"

#include <new>

#include "mm/object_cache.h"

namespace {
constinit mm::ObjectCache<Mapping> mapping_cache;
}

Result<MappingRecord> MappingRecord::create(Budget& budget) {
    TRY(budget.take(sizeof(Mapping)));
    void* cell = mapping_cache.allocate();
    if (cell == nullptr) {
        budget.put(sizeof(Mapping));
        return Fail(Error::NOMEM);
    }
    return MappingRecord(*new (cell) Mapping, budget);
}

MappingRecord::~MappingRecord() {
    if (mapping_ == nullptr) return;
    mapping_->~Mapping();
    mapping_cache.free(mapping_);
    budget_->put(sizeof(Mapping));
}
