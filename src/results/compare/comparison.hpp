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

struct MetricComparison {
  const char* name;                  // as the results file names it
  std::optional<double> a, b;        // medians over the side's processes
  bool is_share = false;             // 0 to 1: what differs is b − a, and so is `interval`; of others it is b / a
  std::optional<Interval> interval;  // 95 %
  Resampled resampled = Resampled::nothing;
  Verdict verdict = Verdict::not_compared;

  std::optional<double> ratio() const { return a && b && *a != 0 ? std::optional(*b / *a) : std::nullopt; }
};

struct JobComparison {
  std::string id;
  bool in_a = false, in_b = false;
  std::size_t processes_a = 0, processes_b = 0;             // that have the job done
  Status status_a = Status::done, status_b = Status::done;  // done only if it is in every run of the side
  bool same_config = true;
  std::vector<MetricComparison> metrics;    // those that either side knows
  Verdict verdict = Verdict::not_compared;  // of the median latency

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

// True if a job's median latency grew by more than `percent` beyond doubt (the whole interval above 1), or a job was done in
// A and not in B.
bool any_slower(const Comparison& comparison, double percent);

// True if a job's top-1 fell by more than `points` percentage points beyond doubt.
bool any_worse(const Comparison& comparison, double points);

}  // namespace edgelab::results
