// Task `train`: epochs of steps over augmented images, each followed by the accuracy on held-out ones. With several ranks
// each takes its share of every global batch, and gradients are added up while the backward pass runs.
#include "tasks/training/training.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {

results::JobRecord run_train(const JobSpec& spec, TaskContext& context) { return Training(spec, context).run(); }

}  // namespace edgelab::tasks
