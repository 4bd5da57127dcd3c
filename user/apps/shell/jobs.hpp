// What runs in the background.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "apps/common/text_field.hpp"
#include "apps/shell/pipeline.hpp"

namespace shell {

struct Job {
    Pipeline pipeline;  // empty: this place is free
    char name[32] = {};
};

class Jobs {
  public:
    static constexpr size_t kMax = 16;

    // The place for another job; null if all are taken.
    Job* free_place() {
        for (Job& job : jobs_) {
            if (job.pipeline.empty()) return &job;
        }
        return nullptr;
    }

    // Jobs have the numbers 1 to kMax.
    size_t number(const Job& job) const { return static_cast<size_t>(&job - jobs_.data()) + 1; }
    Job& at(size_t number) { return jobs_[number - 1]; }

  private:
    std::array<Job, kMax> jobs_;
};

}  // namespace shell
