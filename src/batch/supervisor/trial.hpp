#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "batch/cluster_spec.hpp"

namespace edgelab::batch {

// mpirun has failed before rank 0 could say a word, and nobody knows whose fault it was. Starts `program meet` under mpirun on
// this machine, the cluster's first, and then on this machine and each other host, all pairs at once: a host where mpirun's
// daemon, the program or MPI's start fails, or takes more than 30 s, is found out. Gives host → what was said; nothing if this
// machine alone fails, which is no other's fault. `folder`: for files. Blocks. Throws Error (environment).
std::map<std::string, std::string> hosts_that_fail(const std::filesystem::path& program, const ClusterSpec& cluster, const std::filesystem::path& folder);

}  // namespace edgelab::batch
