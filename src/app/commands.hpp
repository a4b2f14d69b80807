#pragma once

#include <filesystem>

#include "batch/control/worker.hpp"

namespace edgelab::app {

// All commands of the program: parses the command line, runs what it says, prints errors, and returns the exit code
// (docs/jobs.md). `run_task` is what jobs do: tasks::run_task, or a test program's own; below `host_root`, "/" or a test's own
// folder, `run` reads the sensors of its hosts before the first job.
int run_commands(int argc, char** argv, batch::TaskFunction run_task, const std::filesystem::path& host_root = "/");

}  // namespace edgelab::app
