#pragma once

#include <optional>
#include <span>
#include <string>

#include "results/compare/comparison.hpp"

namespace edgelab::results {

enum class Quantity { time, rate, share, amount };  // less is better of times and amounts

// What is compared of a job.
struct Metric {
  const char* name;   // as the results file names it
  const char* label;  // as people read it
  Quantity quantity;
  std::optional<double> (*value)(const JobRecord&);
  std::string (*text)(double);
};

std::span<const Metric> compared_metrics();
const Metric& metric_named(const char* name);  // one of them

// What the job is about, and is judged by: a scenario's own result, a training's samples/s, else the median latency. A server
// at a rate that the job file gives is judged by the percentile that its bound is on.
const Metric& measure_of(const JobRecord& job);

// False for latencies of a server whose rate was searched: each side's are those at a rate of its own.
bool comparable(const Metric& metric, const Metric& measure);

// How many times as long B takes as A, of a time or a rate, at least and at most. An interval of calls, and a measure that has
// none, are widened by kFewProcessesFactor. Empty where nothing can be said.
std::optional<Interval> sure_slowdown(const Metric& metric, const MetricComparison& comparison, bool is_measure);

// Faster or slower, better or worse, by where the interval lies.
Verdict verdict_of(const Metric& metric, const MetricComparison& comparison, bool is_measure);

}  // namespace edgelab::results
