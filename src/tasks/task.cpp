#include "tasks/task.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "core/hash.hpp"
#include "core/host_state.hpp"
#include "core/machine.hpp"
#include "core/memory_rate.hpp"
#include "core/parallel_for.hpp"
#include "results/json/record_json.hpp"
#include "results/statistics.hpp"
#include "tasks/device.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/pruning/settings.hpp"
#include "tasks/quantizing/settings.hpp"
#include "tasks/scenario/scenario_record.hpp"
#include "tasks/scenario/scenario_tasks.hpp"
#include "tasks/scores.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/task_list.hpp"
#include "tasks/telemetry/job_telemetry.hpp"

namespace edgelab::tasks {
namespace {

struct Entry {
  Task task;
  const char* name;
  results::JobRecord (*run)(const JobSpec&, TaskContext&);
};

constexpr Entry kTasks[] = {
    {Task::infer, "infer", run_infer},  {Task::evaluate, "evaluate", run_evaluate}, {Task::bench, "bench", run_bench},
    {Task::train, "train", run_train},   {Task::prune, "prune", run_prune},           {Task::quantize, "quantize", run_quantize},
};

const Entry& entry_of(Task task) {
  return *std::find_if(std::begin(kTasks), std::end(kTasks), [=](const Entry& entry) { return entry.task == task; });
}

// The job's peak is its own from here on, as far as earlier jobs have given their memory back. False where the kernel won't have it.
bool begin_peak() {
  constexpr std::int64_t kLag = 4 << 20;  // the kernel counts what is resident in batches, a thread
  reset_peak_resident();
  return peak_resident_bytes() <= resident_bytes() + kLag;
}

// Measured once for each number of threads and of ranks, which measure at the same time, as they compute, and may share a host.
double memory_read_rate(const TaskContext& context) {
  static std::mutex mutex;
  static std::map<std::pair<int, int>, double> known;
  const std::lock_guard lock(mutex);
  const auto [entry, fresh] = known.try_emplace({context.threads, context.communicator.size()}, 0.0);
  if (fresh) entry->second = measured_memory_read_rate(context.threads);
  return entry->second;
}

void gather_rank_rows(const parallel::Communicator& communicator, results::JobRecord& record) {
  if (communicator.size() == 1) return;
  results::JobRecord mine;
  mine.ranks = record.ranks;
  const std::vector<std::uint8_t> bytes = results::to_bytes(mine);
  const std::vector<parallel::Bytes> all = communicator.gather(std::as_bytes(std::span(bytes)), 0);
  if (communicator.rank() != 0) return;
  record.ranks.clear();
  for (const parallel::Bytes& theirs : all) {
    const std::span row(reinterpret_cast<const std::uint8_t*>(theirs.data()), theirs.size());
    for (results::RankRow& each : results::job_record_from_bytes(row).ranks) record.ranks.push_back(std::move(each));
  }
}

}  // namespace

results::RankRow own_rank_row(const TaskContext& context, std::string role) {
  results::RankRow row;
  row.rank = context.communicator.rank();
  row.world_rank = row.rank;  // the caller, who knows the world, puts it right
  row.host = this_machine().host_name;
  row.role = std::move(role);
  row.threads = context.threads;
  row.device = context.device;
  row.device_note = context.device_note;
  return row;
}

void note_traffic(const parallel::Communicator& communicator, results::RankRow& row) {
  const parallel::Traffic traffic = communicator.traffic();
  row.send_ns = traffic.send_ns;
  row.receive_ns = traffic.receive_ns;
  row.wait_ns = traffic.wait_ns;
  row.bytes_sent = traffic.bytes_sent;
  row.bytes_received = traffic.bytes_received;
}

void complete_answers(results::JobRecord& record, std::int64_t classes) {
  record.classes = classes;
  const std::span logits(record.logits);
  for (std::size_t at = 0; at < logits.size(); at += static_cast<std::size_t>(classes)) {
    record.predictions.push_back(predicted_class(logits.subspan(at, static_cast<std::size_t>(classes))));
  }
  score(logits, classes, record.labels, record.summary);
}

results::JobRecord run_task(const JobSpec& given, TaskContext& context) {
  JobSpec spec = given;
  spec.model = completed(std::move(spec.model), context.weights_of_jobs);
  const std::vector<Error> problems = unsupported(spec);
  if (!problems.empty()) throw problems.front();
  take_device(spec, context);
  use_threads(context.threads);
  const bool own_peak = begin_peak();
  JobTelemetry telemetry(context);
  results::JobRecord record = entry_of(spec.task).run(spec, context);
  telemetry.gather(record);
  if (record.summary.validity && record.summary.throttling) call_invalid(record.summary, "throttling: " + *record.summary.throttling);
  results::RankRow& own = record.ranks.front();
  own.peak_rss_bytes = peak_resident_bytes();
  // Behind the peak, and not where its buffer would stay in the peak of every later job.
  if (own_peak && own.device == "cpu" && !record.layers.empty()) own.memory_bytes_per_second = memory_read_rate(context);
  gather_rank_rows(context.communicator, record);
  if (context.communicator.rank() != 0) return record;
  const results::LatencySummary latency = results::summarise_latency(record.latency_ns, record.batch);
  record.summary.latency_mean_ns = latency.mean_ns;
  record.summary.latency_p50_ns = latency.p50_ns;
  record.summary.latency_p90_ns = latency.p90_ns;
  record.summary.latency_p99_ns = latency.p99_ns;
  record.summary.model_bytes = record.model.bytes_on_disk;
  std::int64_t most = 0;
  for (const results::RankRow& row : record.ranks) most = std::max(most, row.peak_rss_bytes);
  record.summary.peak_rss_bytes = most;
  record.keep_logits = spec.keep_logits;
  if (!spec.keep_logits && !context.want_logits) record.logits.clear();
  return record;
}

std::vector<Error> unsupported(const JobSpec& spec) {
  std::vector<Error> problems;
  const auto add = [&](ErrorKind kind, const std::string& what, const std::string& hint) {
    problems.push_back(Error(kind, "job " + spec.id + ": " + what).at(spec.place).hint(hint));
  };
  if (std::optional<Error> problem = problem_of_device(spec)) problems.push_back(std::move(*problem));
  const bool learns = spec.task == Task::train || spec.task == Task::prune;
  if (learns && (spec.precision == Precision::int8 || spec.precision == Precision::mixed)) {
    add(ErrorKind::usage, "this task computes in fp32 or bf16", "say precision: fp32 or bf16; task: quantize trains for integers");
  }
  for (const SpecProblem& problem : problems_of_split(spec)) add(ErrorKind::usage, problem.what, problem.hint);
  for (const SpecProblem& problem : problems_of_scenario(spec)) add(ErrorKind::usage, problem.what, problem.hint);
  // What the weights of another job are of is known once it has run.
  if (spec.model.arch.empty() && !spec.model.weights.job.empty()) return problems;
  if (spec.train && spec.train->search && spec.train->search->objective == SearchObjective::size) {
    add(ErrorKind::usage, "train.search.objective: training makes no file smaller", "say top1 or loss");
  }
  if (spec.task == Task::train && !spec.train) add(ErrorKind::usage, "train is missing", "say train: {epochs: 5}, or more: docs/jobs.md");
  if (spec.task == Task::prune) {
    for (const SpecProblem& problem : problems_of_pruning(spec)) add(ErrorKind::usage, problem.what, problem.hint);
  }
  if (spec.task == Task::quantize) {
    for (const SpecProblem& problem : problems_of_quantizing(spec)) add(ErrorKind::usage, problem.what, problem.hint);
  }
  if (spec.model.arch.empty()) {
    add(ErrorKind::usage, "model.arch is missing", "name a model of torchvision or timm; docs/models.md lists them");
    return problems;
  }
  if (spec.task != Task::bench && spec.data.dataset.empty()) {
    add(ErrorKind::usage, "data.dataset is missing", "say cifar10, cifar100, images or shapes10, or use task: bench, which needs no data");
  }
  try {
    for (const models::OptionProblem& problem : models::problems_of(model_options(spec, std::nullopt))) {
      problems.push_back(Error(ErrorKind::usage, "job " + spec.id + ": model." + problem.key + ": " + problem.what)
                             .at(spec.place).got(problem.got).expected(problem.expected));
    }
  } catch (const Error& error) {
    problems.push_back(error);
  }
  return problems;
}

std::vector<std::pair<std::string, std::string>> input_hashes(const JobSpec& spec) {
  std::vector<std::pair<std::string, std::string>> hashes;
  if (reads_data(spec)) hashes.emplace_back("data", data::open_dataset(dataset_options(spec)).content_hash());
  if (!spec.model.weights.path.empty()) hashes.emplace_back("weights", sha256_of_file(spec.model.weights.path));
  return hashes;
}

}  // namespace edgelab::tasks
