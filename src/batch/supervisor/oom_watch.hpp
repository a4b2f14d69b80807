#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "batch/supervisor/rank_end.hpp"

namespace edgelab::batch {

// Has the kernel killed a process of this cgroup for want of memory since the object was made? The kernel tells nobody
// whom it killed; it counts, in memory.events (cgroup v2) or memory.oom_control (v1).
class OomWatch {
 public:
  explicit OomWatch(const std::filesystem::path& cgroups = "/sys/fs/cgroup", const std::filesystem::path& own = "/proc/self/cgroup");

  OutOfMemory killed() const;  // unknown where there is no such count

 private:
  std::filesystem::path counts_;  // empty: there is none
  std::optional<std::int64_t> before_;
};

}  // namespace edgelab::batch
