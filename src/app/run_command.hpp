#pragma once

#include <filesystem>

#include "batch/control/worker.hpp"

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab run FILE… [--set KEY=VALUE]… [--only ID]… [--out FILE] [--resume] [--json]`: runs a batch, alone or on all ranks
// of mpirun or srun. Rank 0 alone reads files and prints. Every rank leaves rank 0's exit code in `exit_code`: 0, or 1 if a
// job failed, 2 for a wrong job file, 3 for a wrong environment. After a signal the process ends in here, with 130 or 143.
//
// What mpirun makes of it (Open MPI 4.1): its own exit code is the first code other than 0 that it sees, with a paragraph
// on stderr that says so; no program can silence that.
//
// `run_task` is what jobs do: tasks::run_task, or a test program's own. The hosts' sensors are read below `host_root`.
void add_run_command(CLI::App& root, int& exit_code, batch::TaskFunction run_task, const std::filesystem::path& host_root);

}  // namespace edgelab::app
