// Task `prune`: weights or whole channels are left out, and the rest is fine-tuned. With several ranks each takes its share of the
// images, in fine-tuning and when the result is tried.
#include "tasks/pruning/pruning.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {

results::JobRecord run_prune(const JobSpec& spec, TaskContext& context) { return Pruning(spec, context).run(); }

}  // namespace edgelab::tasks
