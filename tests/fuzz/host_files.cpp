// A host file. What is accepted goes into mpirun's host file, where no name may break out of its line.
#include "batch/cluster_spec.hpp"

#include <algorithm>
#include <string>

#include "batch/job_file/batch.hpp"
#include "fuzz/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  const fuzz::MemoryFile file({data, size});
  batch::ClusterSpec cluster;
  try {
    cluster = batch::load_cluster(file.path());
  } catch (const batch::JobFileErrors&) {
    return 0;
  }
  fuzz::require(!cluster.hosts.empty() && cluster.ranks() > 0);
  for (const batch::HostSpec& host : cluster.hosts) fuzz::require(batch::is_host_name(host.name));
  const std::string lines = batch::mpi_host_file(cluster);
  fuzz::require(std::count(lines.begin(), lines.end(), '\n') == static_cast<std::ptrdiff_t>(cluster.hosts.size()));
  return 0;
}
