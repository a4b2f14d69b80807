#include "app/doctor_command.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "app/library_versions.hpp"
#include "app/terminal_look.hpp"
#include "batch/doctor/links.hpp"
#include "batch/doctor/report.hpp"
#include "core/build_info.hpp"
#include "core/hash.hpp"

namespace edgelab::app {
namespace {

namespace doctor = batch::doctor;

struct Options {
  std::string hosts;
  bool json = false, links = false, facts = false, list = false, measure = false;
};

doctor::HostFacts own_facts() {
  doctor::ProgramFacts program;
  std::error_code error;
  program.path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  program.sha256 = sha256_of_file("/proc/self/exe");
  program.build = std::string(build_info::version()) + " " + std::string(build_info::git_commit());
  program.libraries = library_versions();
  return doctor::gather_facts(std::move(program), "/");
}

batch::ClusterSpec this_machine_alone(const doctor::HostFacts& own) {
  batch::ClusterSpec cluster;
  cluster.hosts.push_back({own.host_name, own.cores, ""});
  return cluster;
}

// "USER@NAME FOLDER here" or "… there" a line, for cluster/provision.sh; none of the words holds a blank.
void print_list(const batch::ClusterSpec& cluster, const doctor::HostFacts& own) {
  for (const batch::HostSpec& host : cluster.hosts) {
    std::cout << (host.user.empty() ? "" : host.user + "@") << host.name << ' ' << cluster.folder
              << (doctor::is_this_machine(host.name, own) ? " here\n" : " there\n");
  }
}

int examine(const Options& options) {
  constexpr std::int64_t kLimitNs = 20'000'000'000;  // of a host; a Pi answers in one second
  constexpr std::int64_t kMostForPairsNs = 20'000'000'000;  // of a round of pairs; over 10 Mbit/s one takes 8 s
  const doctor::HostFacts own = own_facts();
  const batch::ClusterSpec cluster =
      options.hosts.empty() ? this_machine_alone(own) : batch::load_cluster(options.hosts);
  const std::vector<doctor::Visit> visits = doctor::visit_hosts(cluster, own, kLimitNs);
  std::vector<doctor::Finding> findings = doctor::findings_of(cluster, visits);
  std::optional<doctor::MeasuredLinks> links;
  // What keeps a run from starting keeps mpirun from measuring.
  if (options.links && cluster.hosts.size() > 1 && doctor::exit_code_of(findings) == 0) {
    links = doctor::measure_links(cluster, own.program.path, kMostForPairsNs * static_cast<std::int64_t>(cluster.hosts.size()));
    for (doctor::Finding& finding : doctor::measured_link_findings(*links)) findings.push_back(std::move(finding));
  }
  std::cout << (options.json ? doctor::report_json(visits, findings, links ? &*links : nullptr)
                             : doctor::report_text(visits, findings, look_of_stdout(), links ? &*links : nullptr))
            << std::flush;
  return doctor::exit_code_of(findings);
}

int run(const Options& options) {
  if (options.facts) {
    doctor::answer_visit(own_facts(), std::cin, std::cout);
    return 0;
  }
  if (options.list) {
    print_list(batch::load_cluster(options.hosts), own_facts());
    return 0;
  }
  if (options.measure) {
    doctor::measure_as_rank();
    return 0;
  }
  return examine(options);
}

}  // namespace

void add_doctor_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("doctor", "Look at every host of a cluster: what would stop or spoil a run");
  const auto options = std::make_shared<Options>();
  CLI::Option* hosts =
      command->add_option("--hosts", options->hosts, "File that describes the cluster (else this machine alone)");
  command->add_flag("--links", options->links, "Start mpirun and measure latency and rate between every two hosts")->needs(hosts);
  command->add_flag("--json", options->json, "Print JSON on stdout");
  // Between our own programs: an empty group hides them.
  command->add_flag("--measure", options->measure, "Measure the links to all other ranks of this mpirun")->group("");
  command->add_flag("--facts", options->facts, "Print this host's facts, then the time for each line read")->group("");
  command->add_flag("--list", options->list, "Print the hosts of the file")->group("")->needs(hosts);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace edgelab::app
