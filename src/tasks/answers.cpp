#include "tasks/answers.hpp"

#include "data/loader.hpp"
#include "parallel/numbers.hpp"
#include "tasks/measurement.hpp"

namespace edgelab::tasks {

namespace {

// Every rank's values, one after another in rank order; empty but on rank 0. Collective.
template <class T> std::vector<T> gathered(const parallel::Communicator& communicator, const std::vector<T>& mine) {
  std::vector<T> all;
  for (const parallel::Bytes& part : communicator.gather(std::as_bytes(std::span(mine)), 0)) {
    const std::vector<T> theirs = parallel::values_of<T>(part);
    all.insert(all.end(), theirs.begin(), theirs.end());
  }
  return all;
}

}  // namespace

Answers answer_shard(runtime::Executable& executable, const data::Dataset& dataset, int batch, const data::PreprocessOptions& preprocess,
                     const TaskContext& context, const char* what) {
  data::LoaderOptions options;
  options.batch = batch;
  options.preprocess = preprocess;
  options.rank = context.communicator.rank();
  options.ranks = context.communicator.size();
  data::Loader loader(dataset, options);
  const std::int64_t classes = executable.output().shape().back();
  Answers answers;
  for (std::int64_t done = 0; done < loader.batches(); ++done) {
    throw_if_cancelled(context);
    const std::int64_t before = now_ns();
    const auto images = loader.next();
    answers.preprocess_ns += now_ns() - before;
    if (!images) break;
    fill_input(executable, images->images.as<float>());
    answers.latency_ns.push_back(timed_call(executable));
    answers.compute_ns += answers.latency_ns.back();
    if (done == 0) answers.first_ended_ns = now_ns();
    const Tensor output = executable.output();
    const auto logits = output.as<float>().first(static_cast<std::size_t>(images->count * classes));
    answers.logits.insert(answers.logits.end(), logits.begin(), logits.end());
    answers.labels.insert(answers.labels.end(), images->labels.begin(), images->labels.begin() + images->count);
    report(context, static_cast<double>(done + 1) / static_cast<double>(loader.batches()), what, rate_of(images->count, answers.latency_ns.back()));
  }
  return answers;
}

void gather_answers(const parallel::Communicator& communicator, Answers& answers) {
  answers.latency_ns = gathered(communicator, answers.latency_ns);
  answers.labels = gathered(communicator, answers.labels);
  answers.logits = gathered(communicator, answers.logits);
}

}  // namespace edgelab::tasks
