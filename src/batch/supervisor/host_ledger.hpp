#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "results/journal.hpp"

namespace edgelab::batch {

// Which hosts of a cluster take part. One that can't be reached is away for now: it is left out of the next start, asked again
// and again, after a longer time each time, and taken back when it answers. It is left out for good, and the journal
// remembers, if it is away for `patience` and for kFewestAsks answers that did not come, or for the kMostLosses-th time; if
// three different jobs crashed there; or if the program can't be started there. The first host is where the supervisor and
// rank 0 run: it always takes part. Pure: every event says when it is (now_ns()).
class HostLedger {
 public:
  static constexpr std::chrono::minutes kPatience{60};
  static constexpr int kFewestAsks = 3;
  static constexpr int kMostLosses = 10;
  static constexpr std::size_t kMostCrashingJobs = 3;
  static constexpr std::int64_t kFirstPauseNs = 5'000'000'000;       // between two asks; doubles …
  static constexpr std::int64_t kLongestPauseNs = 300'000'000'000;  // … up to this

  explicit HostLedger(std::vector<HostSpec> hosts, std::chrono::nanoseconds patience = kPatience);

  // What earlier sessions remembered ("left_out" facts).
  void recall(const std::vector<results::Fact>& facts);
  // Hosts whose answer decides about the next start: all but the first and those that are out for good.
  std::vector<HostSpec> to_ask() const;
  // Those of them that are away and whose turn to be asked has come; when the next one's comes.
  std::vector<HostSpec> to_ask_again(std::int64_t now) const;
  std::optional<std::int64_t> next_ask() const;
  void answered(const std::string& host, bool reachable, std::int64_t now);
  void crashed(const std::string& host, const std::string& job);
  void cannot_start(const std::string& host, const std::string& why);

  std::vector<HostSpec> taking_part() const;
  std::vector<HostSpec> away() const;                   // for now
  std::map<std::string, std::string> left_out() const;  // host → why, for now or for good
  // "left_out" facts of hosts that went out for good since the last call.
  std::vector<results::Fact> take_news();

 private:
  struct Entry {
    HostSpec spec;
    int losses = 0;  // in all
    int asks = 0;    // without an answer, since it is away; 0: it is here
    std::int64_t away_since_ns = 0, ask_next_ns = 0;
    std::set<std::string> crashing_jobs;
    std::string out_for_good;  // why, or empty

    bool is_away() const { return out_for_good.empty() && asks > 0; }
  };
  Entry* find(const std::string& host);
  void leave_out(Entry& entry, std::string why);

  std::chrono::nanoseconds patience_;
  std::vector<Entry> entries_;
  std::vector<results::Fact> news_;
};

}  // namespace edgelab::batch
