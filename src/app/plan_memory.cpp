#include "app/plan_memory.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace edgelab::app {

void check_memory(const std::vector<JobMemory>& jobs, std::int64_t memory_bytes) {
  const auto gigabytes = [](std::int64_t bytes) { return fmt::format("{:.3g} GB", static_cast<double>(bytes) / 1e9); };
  std::string too_large;
  for (const JobMemory& job : jobs) {
    if (job.bytes() <= memory_bytes) continue;
    too_large += fmt::format("{}{}: {} for {} rank{} of {} weights and {} arena", too_large.empty() ? "" : "; ", job.id,
                             gigabytes(job.bytes()), job.ranks_of_a_host, job.ranks_of_a_host == 1 ? "" : "s",
                             gigabytes(job.weight_bytes), gigabytes(job.arena_bytes));
  }
  if (too_large.empty()) return;
  throw Error(ErrorKind::environment, "jobs do not fit into a host's memory")
      .got(too_large)
      .expected(fmt::format("{} at most", gigabytes(memory_bytes)))
      .hint("a smaller batch, fewer ranks on a host, or a model that is split over hosts (parallel.strategy)");
}

}  // namespace edgelab::app
