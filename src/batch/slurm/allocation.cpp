#include "batch/slurm/allocation.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "batch/supervisor/subprocess.hpp"
#include "core/error.hpp"

namespace edgelab::batch::slurm {
namespace {

constexpr int kMostNodes = 1 << 16;

// Takes a positive number off the front.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number <= 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// A line for each node, in the order of the tasks.
std::vector<std::string> node_names(const std::string& list) {
  Subprocess scontrol({"scontrol", "show", "hostnames", list});
  const std::string output = scontrol.output_to_end(std::numeric_limits<std::int64_t>::max());
  if (*scontrol.ended() != 0) throw Error(ErrorKind::environment, "scontrol does not tell the names of this allocation's nodes").got(output).expected("the nodes of " + list);
  std::vector<std::string> names;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

}  // namespace

std::optional<std::vector<int>> tasks_of_nodes(std::string_view text) {
  std::vector<int> tasks;
  do {
    const std::optional<int> each = take_number(text);
    if (!each) return std::nullopt;
    int times = 1;
    if (take(text, "(x")) {
      const std::optional<int> repeated = take_number(text);
      if (!repeated || *repeated > kMostNodes || !take(text, ")")) return std::nullopt;
      times = *repeated;
    }
    tasks.insert(tasks.end(), static_cast<std::size_t>(times), *each);
  } while (take(text, ","));
  if (!text.empty()) return std::nullopt;
  return tasks;
}

std::optional<ClusterSpec> own_allocation() {
  const char* list = std::getenv("SLURM_JOB_NODELIST");
  const char* shares = std::getenv("SLURM_TASKS_PER_NODE");
  if (std::getenv("SLURM_JOB_ID") == nullptr || list == nullptr || shares == nullptr) return std::nullopt;
  const std::vector<std::string> names = node_names(list);
  const std::optional<std::vector<int>> tasks = tasks_of_nodes(shares);
  if (!tasks || tasks->size() != names.size()) {
    throw Error(ErrorKind::environment, "the tasks of this allocation's nodes can't be read from SLURM_TASKS_PER_NODE")
        .got(shares)
        .expected(fmt::format("a number of tasks for each of the {} nodes of {}", names.size(), list));
  }
  ClusterSpec cluster;
  cluster.allocated = true;
  for (std::size_t node = 0; node < names.size(); ++node) cluster.hosts.push_back({names[node], (*tasks)[node], ""});
  return cluster;
}

}  // namespace edgelab::batch::slurm
