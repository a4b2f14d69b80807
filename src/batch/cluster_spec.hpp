#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab::batch {

// The machines of a cluster, as `cluster:` in a job file or a host file describes them; MPI host files and what else needs
// a list of hosts are made from it.
struct HostSpec {
  std::string name;  // as ssh and mpirun reach it
  int ranks = 1;     // slots: ranks that run there at once
  std::string user;  // ssh login; empty: ssh's own choice
  bool operator==(const HostSpec&) const = default;
};

struct ClusterSpec {
  std::vector<HostSpec> hosts;
  std::vector<std::string> interfaces;  // names or subnets for MPI's traffic; empty: Open MPI's own choice
  std::string folder =
      "edgelab";  // on every host, where provisioning puts program and configs; relative: in the home folder
  bool allocated = false;  // by Slurm, which watches over the hosts and starts mpirun's daemons there
  bool operator==(const ClusterSpec&) const = default;

  int ranks() const;  // in all
};

// Reads a host file: a job file whose `cluster:` counts. Its jobs, if it has any, are checked key by key and then passed
// over. Throws JobFileErrors, also if it names no host.
ClusterSpec load_cluster(const std::filesystem::path& file);

// For mpirun --hostfile: a line "USER@NAME slots=RANKS" for each host.
std::string mpi_host_file(const ClusterSpec& cluster);

// What a host may be called: a name or an address, without brackets, that is safe as an argument of any program.
bool is_host_name(std::string_view text);

}  // namespace edgelab::batch
