#include "results/compare/doubts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace edgelab::results {
namespace {

using Jobs = std::span<const JobRecord* const>;

std::int64_t start_of(const RunRecord& run) { return run.provenance.start_wall_ns; }

// True if every process of one side began after all of the other.
bool one_after_the_other(const Side& a, const Side& b) {
  const auto earliest = [](const Side& side) {
    return start_of(*std::min_element(side.runs.begin(), side.runs.end(),
                                      [](const auto& x, const auto& y) { return start_of(x) < start_of(y); }));
  };
  const auto latest = [](const Side& side) {
    return start_of(*std::max_element(side.runs.begin(), side.runs.end(),
                                      [](const auto& x, const auto& y) { return start_of(x) < start_of(y); }));
  };
  return latest(a) < earliest(b) || latest(b) < earliest(a);
}

std::optional<std::string> invalid_reason(const JobRecord& job) {
  if (job.summary.validity != "INVALID") return std::nullopt;
  return job.summary.invalid_reason.value_or("no reason is given");
}

std::optional<std::string> throttling(const JobRecord& job) { return job.summary.throttling; }

void add_doubt(const char* what, char side, Jobs jobs, std::optional<std::string> (*reason)(const JobRecord&),
               std::vector<Doubt>& doubts) {
  std::string first;
  std::ptrdiff_t affected = 0;
  for (const JobRecord* job : jobs) {
    const std::optional<std::string> why = reason(*job);
    if (why && ++affected == 1) first = *why;
  }
  if (affected == 0) return;
  const std::string where =
      jobs.size() == 1 ? std::string() : fmt::format(", {} of {} processes", affected, jobs.size());
  doubts.push_back({what, fmt::format("{} in {}{}: {}", what, side, where, first)});
}

}  // namespace

std::vector<std::string> cautions_of(const Side& a, const Side& b) {
  std::vector<std::string> cautions;
  if (machines_of(a) != machines_of(b)) cautions.push_back("the two sides ran on different machines");
  if (std::min(a.runs.size(), b.runs.size()) < kFewestValues) {
    cautions.push_back(fmt::format(
        "a side has fewer than {0} processes ({1} and {2}): intervals cover the spread of calls within them, not what "
        "differs from one process to the next, and faster or slower is only said beyond a factor of {3}; give {0} files "
        "a side or more",
        kFewestValues, a.runs.size(), b.runs.size(), kFewProcessesFactor));
  } else if (one_after_the_other(a, b)) {
    cautions.push_back(
        "all processes of one side ran before the other's: what drifted in between counts as a difference; run them by "
        "turns");
  }
  return cautions;
}

std::vector<Doubt> doubts_of(Jobs a, Jobs b) {
  std::vector<Doubt> doubts;
  add_doubt("INVALID", 'A', a, invalid_reason, doubts);
  add_doubt("INVALID", 'B', b, invalid_reason, doubts);
  add_doubt("throttled", 'A', a, throttling, doubts);
  add_doubt("throttled", 'B', b, throttling, doubts);
  return doubts;
}

}  // namespace edgelab::results
