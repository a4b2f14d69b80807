#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/scenario/queries.hpp"

namespace edgelab::tasks {

const char* name_of(Scenario kind);  // as job files have it

// What a scenario is about: a percentile of the latency, or none.
double percentile_of(Scenario kind);  // 90, 99; 0 of offline

// The queries, or samples of offline, that it takes at least.
std::int64_t min_queries_of(const ScenarioSpec& spec, int batch);

double p99_of(const QueryLog& log);  // nanoseconds

struct ScenarioOutcome {
  QueryLog log;
  double queries_per_second = 0;  // server: rate of the arrivals
  std::vector<results::RateRow> rates;
};

struct ScenarioHooks {
  std::function<void()> measured_begins;  // what comes now counts, and nothing before it does; may be empty
  std::function<void(double fraction, const std::string& what)> progress;
  std::function<void()> check;  // between queries; throws to end it all
};

// Asks the model as the scenario has it. Of a server without a rate, the highest is searched first; then it is measured with
// arrivals that were not searched by, and if those miss the bound, so are lower rates, a tolerance at a time. Blocks.
ScenarioOutcome run_scenario(const ScenarioSpec& spec, std::uint64_t seed, const Subject& subject, const Timer& timer,
                             const ScenarioHooks& hooks);

}  // namespace edgelab::tasks
