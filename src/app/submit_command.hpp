#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab submit FILE… [--hosts FILE] [--ranks N] [--out FILE] [--resume] [--all-hosts] [--set KEY=VALUE]… [--only ID]…
// [--grace SECONDS] [--json]`: runs a batch under mpirun and sees it through crashes, lost hosts and jobs that hang
// (docs/batch.md). Exit codes as `run`, which the ranks are; mpirun's own is not to be seen.
// `edgelab submit FILE… --into BATCH`: the jobs join a batch that runs. `edgelab submit FILE… --slurm [--array]
// [--sbatch-option OPTION]…`: Slurm runs it (docs/slurm.md).
void add_submit_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app
