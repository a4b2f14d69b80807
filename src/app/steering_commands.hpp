#pragma once

#include <string>
#include <vector>

#include "batch/job_file/batch.hpp"

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab queue [--watch] [--json]`, `cancel ID…`, `drain HOST [--undo]`, each with `[--batch NAME]`: look at and steer a
// batch of this user that runs, through its spool. Exit codes: 0; 2 for a job or host that the batch doesn't have; 3 if no
// batch runs or it doesn't answer.
void add_steering_commands(CLI::App& root, int& exit_code);

// `edgelab submit FILE… --into BATCH`: the files' jobs join a running batch; an empty name means the only one. Returns the
// exit code; the batch's answer is printed. Throws batch::JobFileErrors and Error.
int join_running_batch(const std::vector<std::string>& files, const batch::LoadOptions& load, const std::string& name);

}  // namespace edgelab::app
