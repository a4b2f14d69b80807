#include "app/plan_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/plan_layouts.hpp"
#include "app/plan_memory.hpp"
#include "batch/cluster_spec.hpp"
#include "batch/core_share.hpp"
#include "batch/job_file/batch.hpp"
#include "core/machine.hpp"
#include "core/parallel_for.hpp"
#include "tasks/forecast.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

struct Options {
  std::vector<std::string> files;
  batch::LoadOptions load;
  bool json = false;
  std::string cluster;       // of --simulate
  std::optional<int> ranks;  // of the jobs that split their model
  std::optional<double> mbit_per_second;  // of the links between them
  std::optional<double> gigabytes;        // of memory, of each host
};

struct Row {
  const tasks::JobSpec* spec;
  int threads;
  tasks::Forecast forecast;
};

// Ranks of a job on this one host share its cores, as `run` does it.
int threads_of(const tasks::JobSpec& spec) {
  return spec.threads.value_or(static_cast<int>(batch::core_share(usable_cores(), 0, spec.ranks).size()));
}

nlohmann::ordered_json to_json(const batch::Batch& batch, const std::vector<Row>& rows) {
  nlohmann::ordered_json jobs = nlohmann::ordered_json::object();
  for (const Row& row : rows) {
    const tasks::Forecast& f = row.forecast;
    jobs[row.spec->id] = {{"needs", row.spec->needs},         {"ranks", row.spec->ranks},
                          {"threads", row.threads},           {"samples", f.samples},
                          {"calls", f.calls},                 {"parameters", f.parameters},
                          {"flop_per_sample", f.flop_per_sample}, {"weight_bytes", f.weight_bytes},
                          {"arena_bytes", f.arena_bytes},     {"wire_bytes", f.wire_bytes},
                          {"predicted_latency_ns", f.latency_ns}, {"predicted_total_ns", f.total_ns},
                          {"layout", f.layout}};
    if (!f.layouts.empty()) jobs[row.spec->id]["layouts"] = layouts_json(f);
  }
  return {{"schema", "edgelab-plan/1"}, {"name", batch.name}, {"host", this_machine().host_name}, {"jobs", jobs}};
}

void print(const batch::Batch& batch, const std::vector<Row>& rows) {
  std::size_t width = 3;
  for (const Row& row : rows) width = std::max(width, row.spec->id.size());
  fmt::print("{}: {} jobs; times measured just now on {} ({})\n\n", batch.name, rows.size(), this_machine().host_name, this_machine().cpu_model);
  fmt::print("{:<{}}  {:>5} {:>7} {:>7} {:>7}  {:>9} {:>9}  {:>9} {:>9} {:>9}\n", "job", width, "ranks", "threads", "samples", "calls", "a call",
             "in all", "weights", "arena", "wire");
  for (const Row& row : rows) {
    const tasks::Forecast& f = row.forecast;
    const auto megabytes = [](std::int64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); };
    fmt::print("{:<{}}  {:>5} {:>7} {:>7} {:>7}  {:>6.2f} ms {:>7.2f} s  {:>9} {:>9} {:>9}\n", row.spec->id, width, row.spec->ranks, row.threads,
               f.samples, f.calls, static_cast<double>(f.latency_ns) / 1e6, static_cast<double>(f.total_ns) / 1e9, megabytes(f.weight_bytes),
               megabytes(f.arena_bytes), megabytes(f.wire_bytes));
  }
  fmt::print("\n");
  for (const Row& row : rows) {
    std::string needs;
    for (const std::string& need : row.spec->needs) needs += (needs.empty() ? " after " : ", ") + need;
    fmt::print("{}{}: {}\n", row.spec->id, needs, row.forecast.layout);
    print_layouts(row.forecast);
  }
}

// A model that another job makes is that job's, where the file says no more of it than whose weights it has.
void take_models_of_makers(std::vector<tasks::JobSpec>& jobs) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (tasks::JobSpec& job : jobs) {
      if (!job.model.arch.empty() || job.model.weights.job.empty()) continue;
      const auto maker = std::find_if(jobs.begin(), jobs.end(), [&](const tasks::JobSpec& other) { return other.id == job.model.weights.job; });
      if (maker == jobs.end() || maker->model.arch.empty()) continue;
      tasks::ModelSpec model = maker->model;
      model.weights = job.model.weights;
      if (!model.input_size && !model.img_size) model.input_size = maker->data.resize;
      job.model = std::move(model);
      changed = true;
    }
  }
}

// Plans for machines that are not there: jobs that split their model get as many ranks as were asked for.
void give_ranks(std::vector<tasks::JobSpec>& jobs, int ranks) {
  for (tasks::JobSpec& job : jobs) {
    if (!tasks::splits_model(job) || job.parallel.strategy == tasks::Strategy::none) continue;
    if (job.ranks == ranks) continue;
    job.ranks = ranks;
    job.parallel.partition.clear();  // it was for other ranks
  }
}

void plan(const Options& options) {
  batch::Batch batch = batch::load_batch({options.files.begin(), options.files.end()}, options.load);
  parallel::Link link = tasks::kGigabit;
  if (options.mbit_per_second) link.ns_per_byte = 8e3 / *options.mbit_per_second;
  if (!options.cluster.empty()) {
    give_ranks(batch.jobs, options.ranks.value_or(static_cast<int>(batch::load_cluster(options.cluster).hosts.size())));
  } else if (options.ranks) {
    give_ranks(batch.jobs, *options.ranks);
  }
  std::vector<Error> problems;
  for (const tasks::JobSpec& spec : batch.jobs) {
    for (Error& problem : tasks::unsupported(spec)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
  take_models_of_makers(batch.jobs);
  bind_to_cores(usable_cores());
  std::vector<Row> rows;
  std::vector<JobMemory> memory;
  for (const tasks::JobSpec& spec : batch.jobs) {
    const bool alone_on_its_host = !options.cluster.empty() && tasks::splits_model(spec);
    const int threads = alone_on_its_host && !spec.threads ? static_cast<int>(usable_cores().size()) : threads_of(spec);
    use_threads(threads);
    rows.push_back({&spec, threads, tasks::forecast(spec, threads, link)});
    const tasks::Forecast& f = rows.back().forecast;
    memory.push_back({spec.id, alone_on_its_host ? 1 : spec.ranks, f.weight_bytes, f.arena_bytes});
  }
  if (options.json) {
    fmt::print("{}\n", to_json(batch, rows).dump(2));
  } else {
    print(batch, rows);
  }
  check_memory(memory, options.gigabytes ? static_cast<std::int64_t>(*options.gigabytes * 1e9) : this_machine().memory_bytes);
}

}  // namespace

void add_plan_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("plan", "A dry run: what would run where, how long, with how much memory, and why");
  const auto options = std::make_shared<Options>();
  command->add_option("files", options->files, "Job files")->required();
  command->add_option("--set", options->load.set, "Override a key: defaults.batch=8, jobs.ID.ranks=2")->allow_extra_args(false);
  command->add_option("--only", options->load.only, "Only this job and what it needs")->allow_extra_args(false);
  command->add_option("--simulate", options->cluster, "A host file: models are split over its hosts, one rank each");
  command->add_option("--ranks", options->ranks, "Split models over so many ranks instead, which need not be there")->check(CLI::Range(1, 65'536));
  command->add_option("--link", options->mbit_per_second, "Mbit/s between the ranks of a split model; 1000 without it")->check(CLI::Range(0.001, 1e6));
  command->add_option("--memory", options->gigabytes, "GB of memory of each host; this machine's without it")->check(CLI::Range(0.001, 1e6));
  command->add_flag("--json", options->json, "JSON on stdout");
  command->callback([options, &exit_code] {
    plan(*options);
    exit_code = 0;
  });
}

}  // namespace edgelab::app
