#include "app/submit_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/results_command.hpp"
#include "app/results_place.hpp"
#include "app/run_display.hpp"
#include "app/slurm_submission.hpp"
#include "app/steering_commands.hpp"
#include "batch/job_file/batch.hpp"
#include "batch/job_request.hpp"
#include "batch/signals.hpp"
#include "batch/slurm/allocation.hpp"
#include "batch/supervisor/hosts.hpp"
#include "batch/supervisor/subprocess.hpp"
#include "batch/supervisor/supervisor.hpp"
#include "core/error.hpp"
#include "results/text/table.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

namespace fs = std::filesystem;

struct SubmitOptions {
  std::vector<std::string> files;
  batch::LoadOptions load;
  std::string hosts, out;
  std::optional<int> ranks;
  int grace_seconds = 30, start_limit_seconds = 120, host_patience_minutes = 60;
  bool resume = false, all_hosts = false, json = false;
  std::optional<std::string> into;  // a running batch
  SlurmOptions slurm;
};

int widest(const std::vector<tasks::JobSpec>& jobs) {
  int most = 1;
  for (const tasks::JobSpec& job : jobs) most = std::max(most, job.ranks);
  return most;
}

batch::ClusterSpec cluster_of(const SubmitOptions& options, const batch::Batch& batch) {
  if (!options.hosts.empty()) return batch::with_this_machine_first(batch::load_cluster(options.hosts));
  // A job file's cluster is somewhere else than where Slurm has just put us.
  if (std::optional<batch::ClusterSpec> nodes = batch::slurm::own_allocation()) return batch::with_this_machine_first(*std::move(nodes));
  if (batch.cluster) return batch::with_this_machine_first(*batch.cluster);
  batch::ClusterSpec cluster;
  cluster.hosts.push_back({"localhost", options.ranks.value_or(widest(batch.jobs)), ""});
  return cluster;
}

int ranks_of(const SubmitOptions& options, const batch::ClusterSpec& cluster) {
  if (!options.ranks) return cluster.ranks();
  if (*options.ranks <= cluster.ranks()) return *options.ranks;
  throw Error(ErrorKind::environment, "the hosts have not that many ranks")
      .got(fmt::format("--ranks {}", *options.ranks))
      .expected(fmt::format("at most {}", cluster.ranks()))
      .hint("raise `ranks` of the hosts, or leave --ranks out");
}

// Whether the hosts have the memory and features that jobs require, the ranks find out.
void refuse_what_cannot_run(const batch::Batch& batch, int ranks) {
  std::vector<tasks::JobSpec> jobs = batch.jobs;
  for (tasks::JobSpec& job : jobs) job.requirements.reset();
  std::vector<Error> problems = batch::cannot_run(jobs, {std::vector<int>(static_cast<std::size_t>(ranks), 0), {{}}});
  for (const tasks::JobSpec& job : jobs) {
    for (Error& problem : tasks::unsupported(job)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
}

fs::path own_program() {
  const fs::path program = fs::read_symlink("/proc/self/exe");
  if (fs::exists(program)) return program;
  throw Error(ErrorKind::environment, "this program has been replaced or removed while it ran").at({program.string()}).hint("run the command again");
}

// What the ranks are told beside the batch itself.
std::vector<std::string> run_arguments(const SubmitOptions& options) {
  std::vector<std::string> arguments;
  for (const std::string& only : options.load.only) arguments.push_back("--only=" + only);
  return arguments;
}

// Ranks see a pipe where we see a terminal.
void keep_display() {
  if (wanted_display() == DisplayMode::bar) setenv("EDGELAB_PROGRESS", "bar", 0);
}

void say(const std::string& text) {
  const char* fresh_line = wanted_display() == DisplayMode::bar ? "\r\033[K" : "";
  fmt::print(stderr, "{}submit: {}\n", fresh_line, results::safe_for_terminal(text));
  std::fflush(stderr);
}

void pass_on(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

int supervise(const SubmitOptions& options) {
  const batch::Batch batch = batch::load_batch({options.files.begin(), options.files.end()}, options.load);
  const batch::ClusterSpec cluster = cluster_of(options, batch);
  const int ranks = ranks_of(options, cluster);
  refuse_what_cannot_run(batch, ranks);
  batch::require_program("mpirun", "install Open MPI: ./lab setup");
  const fs::path file = fs::absolute(results_place(options.out, batch.name));
  keep_display();
  const batch::SignalWatch signals;
  const batch::SupervisionEnd end = batch::supervise({own_program(), run_arguments(options), file, cluster, ranks, std::chrono::seconds(options.grace_seconds),
                                                      std::chrono::seconds(options.start_limit_seconds), std::chrono::minutes(options.host_patience_minutes), options.resume, options.all_hosts, batch, say, pass_on});
  if (end.complete) show_results(file.string(), options.json);
  return end.exit_code;
}

int submit(const SubmitOptions& options) {
  if (options.into) return join_running_batch(options.files, options.load, *options.into);
  if (!options.slurm.wanted) return supervise(options);
  submit_to_slurm({{options.files.begin(), options.files.end()}, options.load, options.out, options.resume, options.ranks, options.slurm.arrays,
                   options.slurm.sbatch_options});
  return 0;
}

}  // namespace

void add_submit_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("submit", "Run job files under mpirun, through crashes and lost hosts; or hand them to Slurm, or to a batch that runs");
  const auto options = std::make_shared<SubmitOptions>();
  command->add_option("FILE", options->files, "Job files, run as one batch")->required();
  command->add_option("--hosts", options->hosts, "Host file (Slurm's allocation, else the job file's cluster, else this machine)");
  command->add_option("--ranks", options->ranks, "Ranks in all (all that the hosts have; on this machine alone, those of the widest job)")
      ->check(CLI::Range(1, 65536));
  // allow_extra_args(false): one value an option, so that `--set a=1 FILE` leaves FILE alone.
  command->add_option("--set", options->load.set, "KEY=VALUE, such as defaults.batch=8 or jobs.ID.ranks=2")->allow_extra_args(false);
  command->add_option("--only", options->load.only, "Id of a job or a sweep; 'SWEEP[#0]' is its first member; what it needs comes with it")->allow_extra_args(false);
  command->add_flag("--needs-met", options->load.needs_met, "With --only: what it merely waits for is done elsewhere, and doesn't come with it");
  command->add_option("--out", options->out, "Results file (results/NAME.h5)");
  command->add_flag("--resume", options->resume, "Take over what an earlier run into the same file finished");
  command->add_flag("--all-hosts", options->all_hosts, "With --resume: try hosts too that an earlier session left out for good");
  command->add_option("--grace", options->grace_seconds, "Seconds that jobs have to save their work after SIGTERM or SIGINT (30)")->check(CLI::Range(1, 3600));
  command->add_option("--start-limit", options->start_limit_seconds, "Seconds that mpirun may take to bring the ranks together (120)")->check(CLI::Range(1, 86'400));
  command->add_option("--host-patience", options->host_patience_minutes, "Minutes for which a host that can't be reached is asked again, before it is left out for good (60)")
      ->check(CLI::Range(0, 10'080));
  command->add_flag("--json", options->json, "Print the results as JSON on stdout");
  CLI::Option* into = command->add_option("--into", options->into, "Add the jobs to this running batch: its name or id, as edgelab queue shows them");
  for (const char* other : {"--hosts", "--ranks", "--out", "--resume", "--all-hosts", "--json"}) into->excludes(other);
  add_slurm_options(*command, options->slurm);
  // Slurm knows the hosts and the time to end, and the batch runs later.
  for (const char* other : {"--hosts", "--all-hosts", "--grace", "--start-limit", "--host-patience", "--into", "--json"}) command->get_option("--slurm")->excludes(other);
  command->callback([options, &exit_code] { exit_code = submit(*options); });
}

}  // namespace edgelab::app
