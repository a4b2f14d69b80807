// mpirun over all hosts, one rank each, which measure and write down what they find.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "batch/doctor/links.hpp"
#include "batch/supervisor/hosts.hpp"
#include "batch/supervisor/mpirun_command.hpp"
#include "batch/supervisor/private_folder.hpp"
#include "batch/supervisor/subprocess.hpp"
#include "core/clock.hpp"
#include "core/file.hpp"
#include "parallel/environment.hpp"

namespace edgelab::batch::doctor {
namespace {

constexpr std::string_view kBegin = "edgelab-doctor:measuring ", kLink = "edgelab-doctor:link ";
constexpr std::int64_t kToEndNs = 3'000'000'000;  // for mpirun, told to, to end its daemons

// The output of all ranks, cut into lines; the last of those that are none of ours say what went wrong.
class Listener {
 public:
  explicit Listener(MeasuredLinks& measured) : measured_(measured) {}

  void take(const std::string& text) {
    rest_ += text;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      const std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 1);
      if (measured_.take_line(line) || line.find_first_not_of("- \t") == std::string::npos) continue;
      others_ += (others_.empty() ? "" : " ") + line;
    }
  }

  std::string others() const {
    constexpr std::size_t kMost = 400;
    return others_.size() <= kMost ? others_ : others_.substr(0, kMost) + "…";
  }

 private:
  MeasuredLinks& measured_;
  std::string rest_, others_;
};

}  // namespace

MeasuredLinks::MeasuredLinks(const ClusterSpec& cluster) : links(cluster.hosts.size() * cluster.hosts.size()) {
  for (const HostSpec& host : cluster.hosts) hosts.push_back(host.name);
}

bool MeasuredLinks::take_line(std::string_view line) {
  const bool begins = line.starts_with(kBegin);
  if (!begins && !line.starts_with(kLink)) return false;
  std::istringstream words{std::string(line.substr(begins ? kBegin.size() : kLink.size()))};
  int from = -1, to = -1;
  parallel::Link link;
  const int count = static_cast<int>(hosts.size());
  if (!(words >> from >> to) || from < 0 || to < 0 || from >= count || to >= count) return false;
  if (begins) {
    stuck.emplace_back(from, to);
    return true;
  }
  if (!(words >> link.latency_ns >> link.ns_per_byte)) return false;
  links[static_cast<std::size_t>(from * count + to)] = link;
  if (of(to, from)) std::erase(stuck, std::pair(std::min(from, to), std::max(from, to)));
  return true;
}

MeasuredLinks measure_links(const ClusterSpec& given, const std::string& program, std::int64_t limit_ns) {
  ClusterSpec cluster = with_this_machine_first(given);
  for (HostSpec& host : cluster.hosts) host.ranks = 1;
  require_program("mpirun", "install Open MPI: ./lab setup");
  MeasuredLinks measured(cluster);
  const PrivateFolder folder;
  const std::filesystem::path host_file = folder.path() / "hosts";
  replace_file(host_file, mpi_host_file(cluster));
  Subprocess mpirun(mpirun_arguments(cluster.ranks(), host_file, {}, {program, "doctor", "--measure"}),
                    mpirun_variables(cluster, geteuid() == 0));
  Listener listener(measured);
  const std::int64_t end_ns = now_ns() + limit_ns;
  std::int64_t stopped_ns = 0;
  while (!mpirun.ended()) {
    pollfd news{mpirun.output(), POLLIN, 0};
    poll(&news, 1, 100);
    listener.take(mpirun.read_output());
    if (stopped_ns != 0 && now_ns() > stopped_ns + kToEndNs) break;
    if (stopped_ns != 0 || now_ns() < end_ns) continue;
    mpirun.send(SIGTERM);
    stopped_ns = now_ns();
  }
  listener.take(mpirun.read_output());
  if (stopped_ns != 0) {
    measured.failure = fmt::format("measuring the links did not end in {} s", limit_ns / 1'000'000'000);
  } else if (*mpirun.ended() != 0) {
    measured.failure = fmt::format("mpirun ended with exit code {} before all links were measured: {}", *mpirun.ended(),
                                   listener.others());
  }
  return measured;
}

void measure_as_rank() {
  const parallel::Environment environment;
  const parallel::Communicator links = parallel::Communicator::world().duplicate();
  for (int round = 0; round < parallel::rounds_of_pairs(links.size()); ++round) {
    const std::optional<int> peer = parallel::peer_in_round(links.rank(), round, links.size());
    if (!peer) continue;
    if (links.rank() < *peer) std::cout << fmt::format("{}{} {}\n", kBegin, links.rank(), *peer) << std::flush;
    const parallel::Link link = parallel::link_to(links, *peer);
    std::cout << fmt::format("{}{} {} {} {}\n", kLink, links.rank(), *peer, link.latency_ns, link.ns_per_byte)
              << std::flush;
  }
}

}  // namespace edgelab::batch::doctor
