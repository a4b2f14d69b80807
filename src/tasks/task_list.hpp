#pragma once

#include "tasks/task.hpp"

namespace edgelab::tasks {

// The tasks, one a file; run_task() knows them by the job's `task`. Each leaves in the record what it measured; what all
// of them share is added by run_task().
results::JobRecord run_infer(const JobSpec& spec, TaskContext& context);
results::JobRecord run_evaluate(const JobSpec& spec, TaskContext& context);
results::JobRecord run_bench(const JobSpec& spec, TaskContext& context);
results::JobRecord run_train(const JobSpec& spec, TaskContext& context);
results::JobRecord run_prune(const JobSpec& spec, TaskContext& context);
results::JobRecord run_quantize(const JobSpec& spec, TaskContext& context);

// A row for this rank with its host, threads, traffic and memory filled in.
results::RankRow own_rank_row(const TaskContext& context, std::string role);

// What this rank has sent and received, and how long it waited, since the communicator was made.
void note_traffic(const parallel::Communicator& communicator, results::RankRow& row);

// Predictions, classes, top1, top5 and loss from the record's logits and labels.
void complete_answers(results::JobRecord& record, std::int64_t classes);

}  // namespace edgelab::tasks
