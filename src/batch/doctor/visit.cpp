#include "batch/doctor/visit.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <istream>
#include <ostream>
#include <string_view>
#include <thread>

#include "batch/doctor/remote_shell.hpp"
#include "core/clock.hpp"

namespace edgelab::batch::doctor {
namespace {

constexpr std::string_view kMachine = "edgelab-doctor:machine ", kProgram = "edgelab-doctor:program ",
                           kNone = "edgelab-doctor:none", kClock = "edgelab-doctor:clock ";
constexpr std::size_t kMostAtOnce = 64;
constexpr int kClockRounds = 7;

// ssh joins its words and gives them to the login shell of the other side, whichever that is; so one word, for sh. Of all
// that comes from a file only the folder stands in it, whose characters no shell knows (keys_cluster.cpp). A checkout with
// its build/ is as good as what `./lab hosts` puts there.
std::string remote_command(const std::string& folder) {
  return "sh -c 'echo " + std::string(kMachine) + "$(uname -m); for p in " + folder + "/bin/edgelab " + folder +
         "/build/edgelab; do if test -x $p; then echo " + std::string(kProgram) +
         "$p; exec $p doctor --facts; fi; done; echo " + std::string(kNone) + "'";
}

std::optional<std::int64_t> clock_in(const std::string& line) {
  if (!line.starts_with(kClock)) return {};
  std::int64_t nanoseconds = 0;
  const auto [end, error] = std::from_chars(line.data() + kClock.size(), line.data() + line.size(), nanoseconds);
  return error == std::errc{} && end == line.data() + line.size() ? std::optional(nanoseconds) : std::nullopt;
}

std::optional<ClockOffset> compare_clocks(Conversation& talk, std::int64_t end_ns) {
  std::optional<ClockOffset> best;
  for (int round = 0; round < kClockRounds; ++round) {
    const std::int64_t sent_ns = wall_clock_ns();
    if (!talk.say("\n")) break;
    const std::optional<std::string> line = talk.line(end_ns);
    const std::int64_t received_ns = wall_clock_ns();
    const std::optional<std::int64_t> theirs_ns = line ? clock_in(*line) : std::nullopt;
    if (!theirs_ns) break;
    const std::int64_t half_ns = (received_ns - sent_ns) / 2;
    if (half_ns >= 0 && (!best || half_ns < best->uncertainty_ns))
      best = ClockOffset{*theirs_ns - sent_ns - half_ns, half_ns};
  }
  return best;
}

// Reads up to the facts; what a login script prints before them is passed over.
void listen(Conversation& talk, Visit& visit, std::int64_t end_ns) {
  while (const std::optional<std::string> line = talk.line(end_ns)) {
    if (line->starts_with(kMachine)) {
      visit.architecture = line->substr(kMachine.size());
      visit.outcome = Visit::Outcome::broken_program;  // until the program answers
    } else if (line->starts_with(kProgram)) {
      visit.program = line->substr(kProgram.size());
    } else if (*line == kNone) {
      visit.outcome = Visit::Outcome::no_program;
    } else if (line->starts_with(kFactsStart)) {
      visit.facts = facts_from_json(*line);
      visit.outcome = Visit::Outcome::answered;
      return;
    }
  }
}

Visit visit_remote(const HostSpec& host, const std::string& folder, std::int64_t limit_ns) {
  Visit visit;
  visit.host = host;
  visit.program = folder + "/bin/edgelab";
  const std::int64_t start_ns = now_ns(), end_ns = start_ns + limit_ns;
  try {
    std::vector<std::string> arguments = remote_shell_words();
    arguments.push_back(host.user.empty() ? host.name : host.user + "@" + host.name);
    arguments.push_back(remote_command(folder));
    Conversation talk(arguments);
    listen(talk, visit, end_ns);
    visit.duration_ns = now_ns() - start_ns;
    if (visit.facts) visit.clock = compare_clocks(talk, end_ns);
    talk.hang_up();
    const std::optional<int> code = talk.wait(end_ns);
    visit.errors = talk.errors();
    if (!code && !visit.facts) visit.outcome = Visit::Outcome::out_of_time;
  } catch (const std::exception& error) {
    visit.errors = error.what();
  }
  return visit;
}

Visit visit_here(const HostSpec& host, const HostFacts& own) {
  Visit visit;
  visit.host = host;
  visit.this_machine = true;
  visit.outcome = Visit::Outcome::answered;
  visit.facts = own;
  visit.architecture = own.architecture;
  visit.program = own.program.path;
  return visit;
}

std::string short_name(const std::string& name) { return name.substr(0, name.find('.')); }

}  // namespace

bool is_this_machine(const std::string& name, const HostFacts& own) {
  if (name == "localhost" || name == "127.0.0.1" || name == "::1" || name == own.host_name) return true;
  if (const std::optional<Ipv4> address = read_ipv4(name)) {
    return std::any_of(own.interfaces.begin(), own.interfaces.end(), [&](const NetworkInterface& interface) {
      return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                         [&](const Ipv4& each) { return each.address == address->address; });
    });
  }
  return name.find(':') == std::string::npos && short_name(name) == short_name(own.host_name);
}

std::vector<Visit> visit_hosts(const ClusterSpec& cluster, const HostFacts& own, std::int64_t limit_ns) {
  std::vector<Visit> visits(cluster.hosts.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    // For Conversation. What is pending when the thread ends is forgotten with it.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    for (std::size_t at = next++; at < visits.size(); at = next++) {
      const HostSpec& host = cluster.hosts[at];
      visits[at] =
          is_this_machine(host.name, own) ? visit_here(host, own) : visit_remote(host, cluster.folder, limit_ns);
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(kMostAtOnce, visits.size()); ++i) threads.emplace_back(work);
  threads.clear();  // waits for all
  return visits;
}

void answer_visit(const HostFacts& facts, std::istream& in, std::ostream& out) {
  out << facts_to_json(facts) << std::endl;
  for (std::string line; std::getline(in, line);) out << kClock << wall_clock_ns() << std::endl;
}

}  // namespace edgelab::batch::doctor
