#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "batch/job_file/batch.hpp"

namespace edgelab::batch {

struct Supervision {
  std::filesystem::path program;           // edgelab
  std::vector<std::string> run_arguments;  // of `edgelab run`, but for --out, --resume and what supervisors say
  std::filesystem::path results_file;      // absolute
  ClusterSpec cluster;                     // this machine first (hosts.hpp)
  int ranks = 1;                           // at most the cluster's
  std::chrono::seconds grace{30};          // between a signal and the end of the ranks
  std::chrono::seconds start_limit{120};   // until MPI has brought all ranks together
  std::chrono::minutes host_patience{60};  // with a host that can't be reached (host_ledger.hpp)
  bool resume = false;
  bool all_hosts = false;  // those too that an earlier session left out for good
  const Batch& batch;
  std::function<void(const std::string&)> say;    // a line for the user
  std::function<void(std::string_view)> pass_on;  // the ranks' output, as it comes
};

struct SupervisionEnd {
  int exit_code = 0;      // as docs/jobs.md has them
  bool complete = false;  // every job has ended, and the results file says so
};

// Runs the batch under mpirun until it is complete, over as many starts as that takes; docs/batch.md says what happens when
// what fails. Blocks. A batch::SignalWatch must live. Everything finished is in the results file when it returns.
// Throws Error: environment if another supervisor or run is at work on these results, data if the journal is damaged.
SupervisionEnd supervise(const Supervision& supervision);

}  // namespace edgelab::batch
