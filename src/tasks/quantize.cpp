// Task `quantize`: weights and activations become integers, and the rest of the model is trained for it if the job says so. With
// several ranks each takes its share of the images, in calibration, in training, and when the result is tried.
#include "tasks/quantizing/quantizing.hpp"
#include "tasks/quantizing/searching.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {

results::JobRecord run_quantize(const JobSpec& spec, TaskContext& context) {
  if (!spec.quantize->search) return Quantizing(spec, context).run();
  SearchedJob found = searched_settings(spec, context);
  results::JobRecord record = Quantizing(found.best, context).run();  // once more, by all ranks
  record.trials = std::move(found.trials);
  return record;
}

}  // namespace edgelab::tasks
