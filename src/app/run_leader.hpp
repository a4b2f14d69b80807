#pragma once

#include <string>
#include <vector>

#include "batch/control/cluster.hpp"
#include "batch/job_file/batch.hpp"
#include "results/job_record.hpp"

namespace edgelab::app {

struct RunOptions {
  std::vector<std::string> files;  // none under a supervisor, which hands the batch over
  batch::LoadOptions load;
  std::string out;  // empty: results/<name of the batch>.h5
  bool resume = false;
  bool json = false;
  std::string session;      // of the supervisor that started this run (batch/session.hpp); empty: started by hand
  std::string leader_folder;  // of that supervisor (batch/supervisor/leader_folder.hpp), on rank 0's host
  double grace_seconds = 0;   // after a signal; 0: mpirun's
};

// Rank 0's part of `edgelab run`: reads the job files, checks everything that can be checked before the first job starts,
// runs the batch, records it, prints the summary. Errors are printed here and become the exit code; nothing is thrown.
// `hosts`: what the ranks told of their machines, one record a host.
batch::LoopEnd lead_run(const RunOptions& options, batch::Cluster& cluster, std::vector<results::HostRecord> hosts);

}  // namespace edgelab::app
