#pragma once

#include <string>
#include <vector>

#include "batch/slurm/plan.hpp"

namespace CLI {
class App;
}

namespace edgelab::app {

// What `edgelab submit` takes for Slurm alone.
struct SlurmOptions {
  bool wanted = false;                      // --slurm
  bool arrays = false;                      // --array
  std::vector<std::string> sbatch_options;  // --sbatch-option
};

void add_slurm_options(CLI::App& command, SlurmOptions& options);

// `edgelab submit --slurm`: checks the whole batch, hands it to Slurm's sbatch, and prints Slurm's job ids and where the
// results will be. `request.out` may be empty: results/<name of the batch>.h5; paths may be relative to the working folder.
// What one sbatch refuses takes back what was queued before it. Throws JobFileErrors, and Error: usage for options that
// don't go together or are none of sbatch's, environment if sbatch isn't there or refuses.
void submit_to_slurm(batch::slurm::Request request);

}  // namespace edgelab::app
