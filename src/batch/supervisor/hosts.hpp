#pragma once

#include <map>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"

namespace edgelab::batch {

// The cluster with this machine first, where rank 0 runs: it keeps the results here, and the supervisor reads its journal.
// Throws Error (environment) if this machine is not one of the hosts.
ClusterSpec with_this_machine_first(ClusterSpec cluster);

// Which of the hosts answer to the remote shell that mpirun uses (doctor/remote_shell.hpp). All are asked at once; takes 10 s
// at most.
std::map<std::string, bool> reachable(const std::vector<HostSpec>& hosts);

}  // namespace edgelab::batch
