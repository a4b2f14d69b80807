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
  std::optional<double> (*value)(const Summary&);
  std::string (*text)(double);
};

std::span<const Metric> compared_metrics();
const Metric& metric_named(const char* name);  // one of them

// Faster or slower, better or worse, by where the interval lies.
Verdict verdict_of(const Metric& metric, const MetricComparison& comparison);

}  // namespace edgelab::results
