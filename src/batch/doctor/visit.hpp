#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "batch/doctor/facts.hpp"

namespace edgelab::batch::doctor {

// Another host's wall clock less ours. The truth lies within ± uncertainty: half of the shortest round trip of several
// (F. Cristian, "Probabilistic clock synchronization", 1989).
struct ClockOffset {
  std::int64_t offset_ns = 0, uncertainty_ns = 0;
  bool operator==(const ClockOffset&) const = default;
};

// What came of asking one host for its facts.
struct Visit {
  enum class Outcome { answered, unreachable, out_of_time, no_program, broken_program };

  HostSpec host;
  bool this_machine = false;  // asked without ssh
  Outcome outcome = Outcome::unreachable;
  std::optional<HostFacts> facts;
  std::optional<ClockOffset> clock;
  std::string architecture;      // `uname -m`, "" where nothing answered
  std::string program;           // the path that was tried
  std::string errors;            // what came on stderr, or what is wrong with the answer
  std::int64_t duration_ns = 0;  // until the answer
};

// The name is one by which this machine is known, or one of its addresses. Asks no name service, which may hang.
bool is_this_machine(const std::string& name, const HostFacts& own);

// Asks all hosts at once (64 at a time), each for at most `limit_ns`. `own` answers for this machine. Gives the visits in
// the order of the hosts.
std::vector<Visit> visit_hosts(const ClusterSpec& cluster, const HostFacts& own, std::int64_t limit_ns);

// The other side: writes the facts, then the clock for each line that it reads, until there are no more.
void answer_visit(const HostFacts& facts, std::istream& in, std::ostream& out);

}  // namespace edgelab::batch::doctor
