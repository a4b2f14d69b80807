// Task `train`: epochs of steps over augmented images, each followed by the accuracy on held-out ones. With several ranks
// each takes its share of every global batch, and gradients are added up while the backward pass runs.
#include "tasks/task_list.hpp"
#include "tasks/training/searching.hpp"
#include "tasks/training/training.hpp"

namespace edgelab::tasks {

results::JobRecord run_train(const JobSpec& spec, TaskContext& context) {
  if (!spec.train->search) return Training(spec, context).run();
  SearchedJob found = searched_training(spec, context);
  results::JobRecord record = Training(found.best, context).run();  // by all ranks, for all epochs
  record.trials = std::move(found.trials);
  return record;
}

}  // namespace edgelab::tasks
