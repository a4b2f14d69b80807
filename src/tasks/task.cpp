#include "tasks/task.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "core/machine.hpp"
#include "core/parallel_for.hpp"
#include "results/statistics.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/pruning/settings.hpp"
#include "tasks/scores.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {
namespace {

struct Entry {
  Task task;
  const char* name;
  results::JobRecord (*run)(const JobSpec&, TaskContext&);  // null: a later version's
};

constexpr Entry kTasks[] = {
    {Task::infer, "infer", run_infer},  {Task::evaluate, "evaluate", run_evaluate}, {Task::bench, "bench", run_bench},
    {Task::train, "train", run_train},   {Task::prune, "prune", run_prune},           {Task::quantize, "quantize", nullptr},
};

const Entry& entry_of(Task task) {
  return *std::find_if(std::begin(kTasks), std::end(kTasks), [=](const Entry& entry) { return entry.task == task; });
}

void gather_rank_rows(const parallel::Communicator& communicator, results::JobRecord& record) {
  if (communicator.size() == 1) return;
  // Rows are small and rare: text would do, but their one variable field is all that keeps them from being plain bytes.
  results::RankRow& mine = record.ranks.front();
  struct Numbers {
    std::int32_t rank, world_rank, threads;
    std::int64_t load, preprocess, compute, send, receive, wait, sent, received, resident;
  };
  const Numbers numbers{mine.rank,       mine.world_rank, mine.threads,    mine.load_ns,   mine.preprocess_ns,  mine.compute_ns,
                        mine.send_ns,    mine.receive_ns, mine.wait_ns,    mine.bytes_sent, mine.bytes_received, mine.peak_rss_bytes};
  const auto all_numbers = communicator.gather(std::as_bytes(std::span(&numbers, 1)), 0);
  const auto all_hosts = communicator.gather(std::as_bytes(std::span(mine.host)), 0);
  const auto all_roles = communicator.gather(std::as_bytes(std::span(mine.role)), 0);
  if (communicator.rank() != 0) return;
  const auto text = [](const parallel::Bytes& bytes) { return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()); };
  record.ranks.clear();
  for (std::size_t r = 0; r < all_numbers.size(); ++r) {
    Numbers n{};
    std::copy_n(all_numbers[r].begin(), sizeof n, reinterpret_cast<std::byte*>(&n));
    record.ranks.push_back({n.rank, n.world_rank, text(all_hosts[r]), text(all_roles[r]), n.threads, n.load, n.preprocess, n.compute, n.send,
                            n.receive, n.wait, n.sent, n.received, n.resident});
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
  use_threads(context.threads);
  reset_peak_resident();  // so that the job's peak is its own, as far as earlier jobs have given their memory back
  results::JobRecord record = entry_of(spec.task).run(spec, context);
  record.ranks.front().peak_rss_bytes = peak_resident_bytes();
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
  const Entry& entry = entry_of(spec.task);
  if (entry.run == nullptr) add(ErrorKind::usage, "this version of edgelab has no task: " + std::string(entry.name), "it has infer, evaluate, train, prune and bench");
  if (std::find(spec.device.begin(), spec.device.end(), Device::cpu) == spec.device.end()) {
    add(ErrorKind::environment, "this version of edgelab does not run on CUDA devices", "say device: cpu, or device: [cuda, cpu] to take what is there");
  }
  if (spec.precision != Precision::fp32 && spec.precision != Precision::bf16) {
    add(ErrorKind::usage, "this version of edgelab computes in fp32 and bf16 only", "say precision: fp32 or bf16");
  }
  const ParallelSpec& parallel = spec.parallel;
  const bool splits_model = parallel.pipeline > 1 || parallel.tensor > 1 || parallel.sequence > 1 ||
                            (parallel.strategy != Strategy::none && parallel.strategy != Strategy::data);
  const bool sharded = (spec.task == Task::evaluate || spec.task == Task::train || spec.task == Task::prune) && !splits_model;
  if (spec.ranks > 1 && !sharded) {
    add(ErrorKind::usage, "this version of edgelab can't split one model over ranks", "say ranks: 1, or task: evaluate, train or prune without parallel, which split the data");
  }
  // What the weights of another job are of is known once it has run.
  if (spec.model.arch.empty() && !spec.model.weights.job.empty()) return problems;
  if (spec.train && spec.train->search) add(ErrorKind::usage, "this version of edgelab does not search settings", "leave out train.search; a sweep (matrix) tries what you name");
  if (spec.task == Task::train && !spec.train) add(ErrorKind::usage, "train is missing", "say train: {epochs: 5}, or more: docs/jobs.md");
  if (spec.task == Task::prune) {
    for (const SpecProblem& problem : problems_of_pruning(spec)) add(ErrorKind::usage, problem.what, problem.hint);
  }
  if (spec.model.arch.empty()) {
    add(ErrorKind::usage, "model.arch is missing", "name a model of torchvision or timm: edgelab model list");
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
