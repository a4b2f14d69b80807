#include "app/run_command.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/run_leader.hpp"
#include "app/same_build.hpp"
#include "batch/control/cluster.hpp"
#include "batch/job_file/batch.hpp"
#include "batch/signals.hpp"
#include "core/error.hpp"
#include "core/host_state.hpp"
#include "core/machine.hpp"
#include "core/network_interfaces.hpp"
#include "core/power/power_meter.hpp"
#include "parallel/communicator.hpp"
#include "parallel/environment.hpp"
#include "parallel/numbers.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::app {
namespace {

// A meter that is read for a second tells power to a percent or so; INA219s and the Raspberry Pi 5's chip average over less.
constexpr std::int64_t kIdleNs = 1'000'000'000;

// `rests`: nothing runs on this host yet, and this process waits for its meter, if it has one, for a second.
results::HostRecord this_host_record(bool rests, const std::filesystem::path& host_root) {
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
  if (const char* limits = std::getenv("EMULATED_HOST")) host.emulated = limits;  // set by cluster/emulate.sh
  const ThermalState thermal = read_thermal_state(host_root);
  host.temperature_celsius = thermal.celsius;
  host.throttle_bits = thermal.throttle_bits;
  const std::vector<NetworkInterface> interfaces = read_interfaces("/", interface_addresses());
  if (const NetworkInterface* network = main_interface(interfaces)) {
    host.network_interface = network->name;
    host.network_bits_per_second = network->bits_per_second;
  }
  if (rests) host.idle_watt = measure_resting_watt(host_root, kIdleNs);
  return host;
}

// Collective; one record a host, on rank 0.
std::vector<results::HostRecord> gather_hosts(const parallel::Communicator& world, const parallel::HostLayout& layout, const std::filesystem::path& host_root) {
  const bool first_on_host = layout.index_on_host(world.rank()) == 0;
  const std::vector<std::uint8_t> mine = results::host_to_bytes(this_host_record(first_on_host, host_root));
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

int run(const RunOptions& options, const batch::TaskFunction& run_task, const std::filesystem::path& host_root) {
  const batch::SignalWatch signals;
  const parallel::Environment environment;
  const parallel::Communicator world = parallel::Communicator::world();
  if (const std::optional<Error> error = different_builds(world)) {
    if (world.rank() == 0) throw *error;  // printed once
    return exit_code_of(error->kind());
  }
  const auto grace_ns = static_cast<std::int64_t>(options.grace_seconds * 1e9);
  batch::Cluster cluster(world, run_task, batch::parse_resolved_job, grace_ns > 0 ? grace_ns : batch::Cluster::kMpirunGraceNs);
  std::vector<results::HostRecord> hosts = gather_hosts(world, cluster.layout(), host_root);
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

void add_run_command(CLI::App& root, int& exit_code, batch::TaskFunction run_task, const std::filesystem::path& host_root) {
  CLI::App* command = root.add_subcommand("run", "Run job files: alone on one rank, under mpirun or srun on all of them");
  const auto options = std::make_shared<RunOptions>();
  CLI::Option* files = command->add_option("FILE", options->files, "Job files, run as one batch")->required();
  // allow_extra_args(false): one value an option, so that `--set a=1 FILE` leaves FILE alone.
  command->add_option("--set", options->load.set, "KEY=VALUE, such as defaults.batch=8 or jobs.ID.ranks=2")->allow_extra_args(false);
  command->add_option("--only", options->load.only, "Id of a job or a sweep; 'SWEEP[#0]' is its first member; what it needs comes with it")->allow_extra_args(false);
  command->add_flag("--needs-met", options->load.needs_met, "With --only: what it merely waits for is done elsewhere, and doesn't come with it");
  command->add_option("--out", options->out, "Results file (results/NAME.h5)");
  command->add_flag("--resume", options->resume, "Take over what an earlier run into the same file finished");
  command->add_flag("--json", options->json, "Print the results as JSON on stdout");
  // What the supervisor says to the runs that it starts.
  command->add_option("--session", options->session, "Go on within this session")->group("");
  command->add_option("--leader-folder", options->leader_folder, "The supervisor's folder, with the batch")->group("")->each([files](const std::string&) { files->required(false); });
  command->add_option("--grace", options->grace_seconds, "Seconds for running jobs after a signal")->check(CLI::Range(0.0, 3600.0))->group("");
  command->callback([options, &exit_code, run_task = std::move(run_task), host_root] { exit_code = run(*options, run_task, host_root); });
}

}  // namespace edgelab::app
