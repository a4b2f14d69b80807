#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgelab::app {

// What one job takes of a host: of each rank there the model's weights and the arena. Libraries, data and packed copies come on
// top, so that a job for which this is too much can't run, and one for which it isn't may still be short.
struct JobMemory {
  std::string id;
  int ranks_of_a_host = 1;
  std::int64_t weight_bytes = 0, arena_bytes = 0;  // of a rank

  std::int64_t bytes() const { return ranks_of_a_host * (weight_bytes + arena_bytes); }
};

// Throws Error (environment), which names every job that takes more than a host's `memory_bytes`.
void check_memory(const std::vector<JobMemory>& jobs, std::int64_t memory_bytes);

}  // namespace edgelab::app
