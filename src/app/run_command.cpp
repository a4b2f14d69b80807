#include "app/run_command.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/run_leader.hpp"
#include "batch/control/cluster.hpp"
#include "batch/job_file/batch.hpp"
#include "batch/signals.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"
#include "core/machine.hpp"
#include "parallel/communicator.hpp"
#include "parallel/environment.hpp"
#include "results/json/record_json.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

results::HostRecord this_host_record() {
  const Machine& machine = this_machine();
  results::HostRecord host;
  host.name = machine.host_name;
  host.cpu_model = machine.cpu_model;
  for (const std::string& feature : machine.features) host.features += (host.features.empty() ? "" : " ") + feature;
  host.kernel = machine.kernel;
  host.operating_system = machine.operating_system;
  host.governor = machine.governor;
  host.cores = machine.cores;
  host.memory_bytes = machine.memory_bytes;
  return host;
}

// Collective; one record a host, on rank 0.
std::vector<results::HostRecord> gather_hosts(const parallel::Communicator& world, const parallel::HostLayout& layout) {
  const std::vector<std::uint8_t> mine = results::host_to_bytes(this_host_record());
  const std::vector<parallel::Bytes> all = world.gather(std::as_bytes(std::span(mine)), 0);
  std::vector<results::HostRecord> hosts;
  if (world.rank() != 0) return hosts;
  for (int host = 0; host < layout.hosts(); ++host) {
    const std::vector<int> ranks = layout.ranks_on(host);
    const parallel::Bytes& bytes = all[static_cast<std::size_t>(ranks.front())];
    hosts.push_back(results::host_from_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}));
    hosts.back().ranks = static_cast<int>(ranks.size());
  }
  return hosts;
}

// Collective; empty, or on every rank the same Error. Ranks of different builds would misread each other's messages.
std::optional<Error> different_builds(const parallel::Communicator& world) {
  const std::string mine = std::string(build_info::version()) + " " + std::string(build_info::git_commit());
  std::vector<std::string> builds;
  for (const parallel::Bytes& bytes : world.all_gather(std::as_bytes(std::span(mine)))) {
    builds.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  for (std::size_t rank = 0; rank < builds.size(); ++rank) {
    if (builds[rank] == builds[0]) continue;
    return Error(ErrorKind::environment, "the ranks run different builds of edgelab")
        .got("rank " + std::to_string(rank) + ": " + builds[rank])
        .expected(builds[0])
        .hint("copy one binary to all hosts");
  }
  return std::nullopt;
}

int run(const RunOptions& options) {
  const batch::SignalWatch signals;
  const parallel::Environment environment;
  const parallel::Communicator world = parallel::Communicator::world();
  if (const std::optional<Error> error = different_builds(world)) {
    if (world.rank() == 0) throw *error;  // printed once
    return exit_code_of(error->kind());
  }
  batch::Cluster cluster(world, tasks::run_task, batch::parse_resolved_job);
  std::vector<results::HostRecord> hosts = gather_hosts(world, cluster.layout());
  batch::LoopEnd end;
  if (world.rank() == 0) {
    end = lead_run(options, cluster, std::move(hosts));
    cluster.dismiss(end);
  } else {
    end = cluster.serve();
  }
  // MPI_Finalize waits for every peer, and after a signal some may be gone or busy.
  if (!end.orderly) parallel::Environment::leave(end.exit_code);
  return end.exit_code;
}

}  // namespace

void add_run_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("run", "Run job files: alone on one rank, under mpirun or srun on all of them");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("FILE", options->files, "Job files, run as one batch")->required();
  // allow_extra_args(false): one value an option, so that `--set a=1 FILE` leaves FILE alone.
  command->add_option("--set", options->load.set, "KEY=VALUE, such as defaults.batch=8 or jobs.ID.ranks=2")->allow_extra_args(false);
  command->add_option("--only", options->load.only, "Id of a job or a sweep; what it needs comes with it")->allow_extra_args(false);
  command->add_option("--out", options->out, "Results file (results/NAME.h5)");
  command->add_flag("--resume", options->resume, "Take over what an earlier run into the same file finished");
  command->add_flag("--json", options->json, "Print the results as JSON on stdout");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace edgelab::app
