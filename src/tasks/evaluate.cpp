// Task `evaluate`: accuracy over a data set, once through, with images prepared ahead of the computation. With several
// ranks each takes a contiguous share of the samples, and rank 0 puts the answers together in data-set order.
#include <cstring>

#include "data/loader.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {
namespace {

template <class T> std::span<const std::byte> bytes_of(const std::vector<T>& values) { return std::as_bytes(std::span(values)); }

// Every rank's values, one after another in rank order; empty but on rank 0. Collective.
template <class T> std::vector<T> gathered(const parallel::Communicator& communicator, const std::vector<T>& mine) {
  std::vector<T> all;
  for (const auto& part : communicator.gather(bytes_of(mine), 0)) {
    const std::size_t before = all.size();
    all.resize(before + part.size() / sizeof(T));
    if (!part.empty()) std::memcpy(all.data() + before, part.data(), part.size());
  }
  return all;
}

std::string role_of(const parallel::Communicator& communicator, const data::Shard& shard) {
  if (communicator.size() == 1) return "all layers";
  return "shard " + std::to_string(communicator.rank() + 1) + " of " + std::to_string(communicator.size()) + ": samples " +
         std::to_string(shard.begin) + " to " + std::to_string(shard.end - 1);
}

// This rank's shard. Waiting for images counts as preprocessing: what the loader did not hide behind the computation.
void evaluate_shard(const JobSpec& spec, TaskContext& context, const data::Dataset& dataset, LoadedModel& model, std::int64_t started,
                    results::JobRecord& record, results::RankRow& row) {
  data::LoaderOptions options;
  options.batch = spec.batch;
  options.preprocess = preprocess_options(spec, model.options);
  options.rank = context.communicator.rank();
  options.ranks = context.communicator.size();
  data::Loader loader(dataset, options);
  for (std::int64_t done = 0; done < loader.batches(); ++done) {
    throw_if_cancelled(context);
    const std::int64_t before = now_ns();
    const auto batch = loader.next();
    row.preprocess_ns += now_ns() - before;
    if (!batch) break;
    fill_input(*model.executable, batch->images.as<float>());
    record.latency_ns.push_back(timed_call(*model.executable));
    row.compute_ns += record.latency_ns.back();
    if (done == 0) record.summary.time_to_first_inference_ns = now_ns() - started;
    const Tensor output = model.executable->output();
    const auto logits = output.as<float>().first(static_cast<std::size_t>(batch->count * model.classes));
    record.logits.insert(record.logits.end(), logits.begin(), logits.end());
    record.labels.insert(record.labels.end(), batch->labels.begin(), batch->labels.begin() + batch->count);
    report(context, static_cast<double>(done + 1) / static_cast<double>(loader.batches()), "evaluating");
  }
}

}  // namespace

results::JobRecord run_evaluate(const JobSpec& spec, TaskContext& context) {
  const std::int64_t started = now_ns();
  const parallel::Communicator& communicator = context.communicator;
  const data::Dataset dataset = data::open_dataset(dataset_options(spec));
  LoadedModel model = load_model(spec, dataset.classes(), context.threads);
  const data::Shard shard = data::shard_of(dataset.size(), communicator.rank(), communicator.size());
  results::RankRow row = own_rank_row(context, role_of(communicator, shard));
  row.load_ns = now_ns() - started;
  for (int i = 0; i < spec.measure.warmup; ++i) model.executable->run();

  results::JobRecord record;
  communicator.barrier();
  const std::int64_t began = now_ns();
  evaluate_shard(spec, context, dataset, model, started, record, row);
  const auto wall_ns = communicator.all_reduce(now_ns() - began, parallel::Reduction::max);

  record.latency_ns = gathered(communicator, record.latency_ns);
  record.labels = gathered(communicator, record.labels);
  record.logits = gathered(communicator, record.logits);
  const parallel::Traffic traffic = communicator.traffic();
  row.send_ns = traffic.send_ns;
  row.receive_ns = traffic.receive_ns;
  row.wait_ns = traffic.wait_ns;
  row.bytes_sent = traffic.bytes_sent;
  row.bytes_received = traffic.bytes_received;
  record.ranks = {row};
  if (communicator.rank() != 0) return record;

  record.batch = spec.batch;
  record.repeats = 1;
  record.calls = static_cast<std::int64_t>(record.latency_ns.size());
  complete_answers(record, model.classes);
  record.summary.samples = dataset.size();
  record.summary.throughput_samples_per_second = 1e9 * static_cast<double>(dataset.size()) / static_cast<double>(wall_ns);
  record.model = model.record;
  record.layers = layer_table(*model.executable);
  return record;
}

}  // namespace edgelab::tasks
