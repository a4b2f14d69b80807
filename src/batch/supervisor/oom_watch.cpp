#include "batch/supervisor/oom_watch.hpp"

#include <fstream>
#include <string>

namespace edgelab::batch {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> kills_in(const fs::path& counts) {
  std::ifstream file(counts);
  std::string key;
  for (std::int64_t value = 0; file >> key >> value;) {
    if (key == "oom_kill") return value;
  }
  return std::nullopt;
}

// In a container the path that the kernel names may begin above what is mounted: the parents are tried too.
fs::path counts_above(const fs::path& mount, fs::path group, const char* name) {
  for (group = group.relative_path();; group = group.parent_path()) {
    const fs::path counts = mount / group / name;
    if (kills_in(counts)) return counts;
    if (group.empty()) return {};
  }
}

// Lines are "4:memory:/user.slice" (v1, controllers between the colons) and "0::/user.slice" (v2).
fs::path counts_of(const fs::path& cgroups, const fs::path& own) {
  std::ifstream file(own);
  fs::path unified;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",", group = line.substr(second + 1);
    if (controllers.find(",memory,") != std::string::npos) {
      const fs::path counts = counts_above(cgroups / "memory", group, "memory.oom_control");
      if (!counts.empty()) return counts;
    }
    if (controllers == ",,") unified = counts_above(cgroups, group, "memory.events");
  }
  return unified;
}

}  // namespace

OomWatch::OomWatch(const fs::path& cgroups, const fs::path& own) : counts_(counts_of(cgroups, own)), before_(kills_in(counts_)) {}

OutOfMemory OomWatch::killed() const {
  const std::optional<std::int64_t> now = kills_in(counts_);
  if (!now || !before_) return OutOfMemory::unknown;
  return *now > *before_ ? OutOfMemory::yes : OutOfMemory::no;
}

}  // namespace edgelab::batch
