#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "batch/doctor/findings.hpp"
#include "parallel/link_speed.hpp"

namespace edgelab::batch::doctor {

// What one rank on each host measured between every two of them.
struct MeasuredLinks {
  std::vector<std::string> hosts;
  std::vector<std::optional<parallel::Link>>
      links;  // [from · hosts + to]; nothing from a host to itself, and where it did not come to it
  std::vector<std::pair<int, int>> stuck;  // pairs that began and did not end
  std::string failure;                     // why measuring ended early, or ""

  explicit MeasuredLinks(const ClusterSpec& cluster);
  const std::optional<parallel::Link>& of(int from, int to) const {
    return links[static_cast<std::size_t>(from) * hosts.size() + static_cast<std::size_t>(to)];
  }
  // Reads a line of a rank's: keeps what it tells. False if it is none of those.
  bool take_line(std::string_view line);
};

// Starts mpirun with `program` on every host, which are all to have it under this path, and lets it measure for `limit_ns` at most.
// Throws Error (environment) if this machine is none of the hosts or mpirun can't be started.
MeasuredLinks measure_links(const ClusterSpec& cluster, const std::string& program, std::int64_t limit_ns);

// The other side, under mpirun: measures with every other rank and writes lines for take_line().
void measure_as_rank();

// "941 Mbit/s"; "any rate" where 1 MiB took no longer than 8 bytes.
std::string rate_text_of(const parallel::Link& link);

// Which links are slower than the others, and by how much. Hosts of which every link is slow are named instead of the links.
std::vector<Finding> measured_link_findings(const MeasuredLinks& links);

}  // namespace edgelab::batch::doctor
