#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "results/journal.hpp"

namespace edgelab::batch {

// Which hosts of a cluster take part. One that can't be reached is left out of the next start; one that failed twice in a
// row, or three times in all, or on which three different jobs crashed, is left out for good, and the journal remembers.
// The first host is where the supervisor and rank 0 run: it always takes part. Pure.
class HostLedger {
 public:
  static constexpr int kMostInARow = 2, kMostInAll = 3;
  static constexpr std::size_t kMostCrashingJobs = 3;

  explicit HostLedger(std::vector<HostSpec> hosts);

  // What earlier sessions remembered ("left_out" facts).
  void recall(const std::vector<results::Fact>& facts);
  // Hosts whose answer decides about the next start: all but the first and those that are out for good.
  std::vector<HostSpec> to_ask() const;
  void answered(const std::string& host, bool reachable);
  void crashed(const std::string& host, const std::string& job);

  std::vector<HostSpec> taking_part() const;
  std::map<std::string, std::string> left_out() const;  // host → why, for now or for good
  // "left_out" facts of hosts that went out for good since the last call.
  std::vector<results::Fact> take_news();

 private:
  struct Entry {
    HostSpec spec;
    int failures = 0, failures_in_a_row = 0;
    std::set<std::string> crashing_jobs;
    std::string out_for_good;  // why, or empty
  };
  Entry* find(const std::string& host);
  void leave_out(Entry& entry, std::string why);

  std::vector<Entry> entries_;
  std::vector<results::Fact> news_;
};

}  // namespace edgelab::batch
