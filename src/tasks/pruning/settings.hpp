#pragma once

#include <vector>

#include "compress/prune/channels.hpp"
#include "compress/prune/masks.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/spec_problem.hpp"

// The translation of a job's `prune` into what src/compress wants.
namespace edgelab::tasks {

compress::Criterion criterion_of(const PruneSpec& spec);
compress::MaskSettings mask_settings(const PruneSpec& spec, double sparsity);

// Round r of `rounds`, from 1: what the whole model is to have of zeros after it, and what a round leaves of the channels that the one
// before left. Each takes the same share of what there is.
double sparsity_after_round(const PruneSpec& spec, int round);
compress::ChannelTarget channel_target_of_round(const PruneSpec& spec);
inline int rounds_of(const PruneSpec& spec) { return spec.schedule == PruneSchedule::iterative ? spec.rounds : 1; }

// Whether a job fine-tunes a model whose zeros are to stay zero.
bool keeps_zeros(const JobSpec& spec);

// What in a job's `prune` does not go together.
std::vector<SpecProblem> problems_of_pruning(const JobSpec& spec);

}  // namespace edgelab::tasks
