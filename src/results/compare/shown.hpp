#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

#include "results/compare/comparison.hpp"
#include "results/text/table.hpp"

namespace edgelab::results {

// How much B differs, as people read it: "+10.3 %", "−0.40 points" of a share; empty where one side is unknown.
std::string change_text(const MetricComparison& metric);
std::string interval_text(const MetricComparison& metric);  // "+8.1 to +12.0 %"

// "slower"; "slower (INVALID, throttled)" of a job's own measure where its numbers are doubtful; empty where nothing judges the
// metric.
std::string verdict_text(const JobComparison& job, const MetricComparison& metric);

std::string comparison_text(const Comparison& comparison, const Look& look);
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace edgelab::results
