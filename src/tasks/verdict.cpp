#include "tasks/verdict.hpp"

#include <array>

#include "tasks/answers.hpp"
#include "tasks/measurement.hpp"
#include "tasks/scores.hpp"

namespace edgelab::tasks {

Verdict tried_on(const data::Dataset& held_out, const JobSpec& job, BoundModel model, const models::ModelOptions& options, const TaskContext& context) {
  throw_if_cancelled(context);
  const auto executable = compile_inference(job, std::move(model), context.threads, false);
  executable->stop_when(context.cancelled);
  TaskContext quiet = context;
  quiet.progress = {};
  Answers answers = answer_shard(*executable, held_out, job.batch, preprocess_options(job, options), quiet, "");
  gather_answers(context.communicator, answers);
  std::array<double, 2> numbers{};
  if (context.communicator.rank() == 0) {
    results::Summary summary;
    score(answers.logits, static_cast<std::int64_t>(answers.logits.size() / answers.labels.size()), answers.labels, summary);
    numbers = {summary.top1.value_or(0.0), summary.loss.value_or(0.0)};
  }
  context.communicator.broadcast(std::span<double>(numbers), 0);
  return {numbers[0], numbers[1]};
}

}  // namespace edgelab::tasks
