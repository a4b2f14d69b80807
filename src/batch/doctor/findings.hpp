#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "batch/doctor/visit.hpp"

namespace edgelab::batch::doctor {

// note: worth knowing; warn: measurements or long runs suffer; bad: a run would stop or hang.
enum class Level { ok, note, warn, bad };
std::string_view level_name(Level level);

struct Finding {
  std::string host;   // "" if it is about the cluster as a whole
  std::string check;  // "ssh", "program", "clock", …
  Level level = Level::ok;
  std::string text;  // what is so
  std::string fix;   // what to do; "" where nothing need be
  bool operator==(const Finding&) const = default;
};

// What the hosts' facts mean. Each is a function of facts alone, tested on facts that were made up; `findings_of` is all of
// them, by host and then in the order below, the cluster's last. `cluster` describes this machine alone where no host file
// was given.
std::vector<Finding> findings_of(const ClusterSpec& cluster, const std::vector<Visit>& visits);

// Of one host.
std::vector<Finding> reach_findings(const Visit& visit, const ClusterSpec& cluster);  // ssh, program
std::vector<Finding> clock_findings(const Visit& visit);
std::vector<Finding> state_findings(const HostFacts& facts,
                                    const HostSpec& host);  // cpu, memory, swap, disk, governor, heat, …

// Of one host beside the others.
std::vector<Finding> program_findings(const std::vector<Visit>& visits);
std::vector<Finding> cpu_findings(const std::vector<Visit>& visits);

// Networks (network.cpp).
std::vector<Finding> network_findings(const std::vector<Visit>& visits, const ClusterSpec& cluster);

// What Open MPI's btl_tcp_if_include had best be: the networks that all hosts have in common, or names of interfaces, or
// nothing if there is none or only one host.
std::vector<std::string> proposed_interfaces(const std::vector<Visit>& visits);

// 3 if anything is bad, else 0.
int exit_code_of(const std::vector<Finding>& findings);

}  // namespace edgelab::batch::doctor
