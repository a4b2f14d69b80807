#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/cluster_spec.hpp"

namespace edgelab::batch::slurm {

// The nodes and tasks that Slurm gave to the job in which this process runs (by sbatch or salloc), as hosts and ranks; nothing
// outside of one. Asks scontrol to write SLURM_JOB_NODELIST out; blocks until it answers. Throws Error (environment) if
// scontrol does not, or says something else than SLURM_TASKS_PER_NODE.
std::optional<ClusterSpec> own_allocation();

// SLURM_TASKS_PER_NODE, such as "2(x3),1": the tasks of each node, {2, 2, 2, 1}. Nothing if it can't be read.
std::optional<std::vector<int>> tasks_of_nodes(std::string_view text);

}  // namespace edgelab::batch::slurm
