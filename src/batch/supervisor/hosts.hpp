#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "batch/doctor/facts.hpp"
#include "batch/supervisor/subprocess.hpp"

namespace edgelab::batch {

// The cluster with this machine first, where rank 0 runs: it keeps the results here, and the supervisor reads its journal.
// Throws Error (environment) if this machine is not one of the hosts.
ClusterSpec with_this_machine_first(ClusterSpec cluster);

// What tells this machine from others: its name and interfaces.
doctor::HostFacts own_facts();

// Asks hosts whether they answer to the remote shell that mpirun uses (doctor/remote_shell.hpp), all at once. One that does
// not in 10 s doesn't.
class HostQuestion {
 public:
  explicit HostQuestion(const std::vector<HostSpec>& hosts);  // throws Error (environment)
  bool over();                                                // to be asked every now and then
  const std::map<std::string, bool>& answers() const { return answers_; }

 private:
  std::map<std::string, bool> answers_;
  std::map<std::string, std::unique_ptr<Subprocess>> open_;
  std::int64_t until_ns_ = 0;
};

// A question and its answers; blocks.
std::map<std::string, bool> reachable(const std::vector<HostSpec>& hosts);

}  // namespace edgelab::batch
