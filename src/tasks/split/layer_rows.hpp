#pragma once

#include <vector>

#include "parallel/communicator.hpp"
#include "results/job_record.hpp"
#include "runtime/executable.hpp"

namespace edgelab::tasks {

// The layers of all ranks' parts in the ranks' order, each timed on the rank that has it; empty but on rank 0. `executable`: this rank's
// part, or null. `counts`: whether its rows are kept; of ranks that share layers one stands for all, but all must time them, since there
// are messages among them. Collective.
std::vector<results::LayerRow> layers_of_all(const parallel::Communicator& communicator, runtime::Executable* executable, bool counts);

}  // namespace edgelab::tasks
