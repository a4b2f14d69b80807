#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "results/bootstrap.hpp"
#include "results/job_record.hpp"

// Two sides of the same jobs, held against each other. A side is one run, or several processes of the same job file.
namespace edgelab::results {

struct Side {
  std::string name;
  std::vector<RunRecord> runs;  // at least one
};

enum class Verdict { faster, slower, better, worse, cannot_tell, not_compared };
const char* text_of(Verdict verdict);

// What was drawn anew for an interval. Calls know nothing of the drift from one process to the next; processes do, and are
// taken where both sides have kFewestValues of them.
enum class Resampled { nothing, calls, processes, samples };
const char* text_of(Resampled resampled);

// Processes of one program differ from one another by more than their calls do. Where a side has fewer than kFewestValues of
// them, one process may be this many times as slow as its equal for all that anybody knows: what is faster or slower has to
// show beyond that.
inline constexpr double kFewProcessesFactor = 1.5;

struct MetricComparison {
  const char* name;                  // as the results file names it
  std::optional<double> a, b;        // medians over the side's processes
  bool is_share = false;             // 0 to 1: what differs is b − a, and so is `interval`; of others it is b / a
  std::optional<Interval> interval;  // 95 %
  Resampled resampled = Resampled::nothing;
  Verdict verdict = Verdict::not_compared;

  std::optional<double> ratio() const { return a && b && *a != 0 ? std::optional(*b / *a) : std::nullopt; }
};

// What makes a job's numbers doubtful: a scenario that is INVALID, a host that was throttled.
struct Doubt {
  const char* what;  // "INVALID", "throttled"
  std::string text;  // "INVALID in B: too few queries: 128 of 662"
};

struct JobComparison {
  std::string id;
  bool in_a = false, in_b = false;
  std::size_t processes_a = 0, processes_b = 0;             // that have the job done
  Status status_a = Status::done, status_b = Status::done;  // done only if it is in every run of the side
  bool same_config = true;
  std::vector<MetricComparison> metrics;    // those that either side knows
  const char* measure = "";                 // the metric that it is judged by; "" where the job is not done on both sides
  Verdict verdict = Verdict::not_compared;  // of the measure
  std::vector<Doubt> doubts;

  const MetricComparison* find(const char* name) const;
};

struct Comparison {
  std::string name_a, name_b;
  std::vector<std::string> cautions;  // what makes the whole of it less sure
  std::vector<JobComparison> jobs;    // those of A in their order, then those that only B has
};

// "Cortex-A76, 4 cores", one for each kind of host.
std::set<std::string> machines_of(const Side& side);

Comparison compare_sides(const Side& a, const Side& b);

// True if a job is slower, by its measure, by more than `percent` beyond doubt (all of sure_slowdown is above that), or was
// done in A and not in B.
bool any_slower(const Comparison& comparison, double percent);

// True if a job's top-1 fell by more than `points` percentage points beyond doubt (the whole interval is below that).
bool any_worse(const Comparison& comparison, double points);

}  // namespace edgelab::results
