#include "tasks/scenario/scenario_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "results/drift.hpp"
#include "results/percentile_bound.hpp"
#include "results/statistics.hpp"
#include "results/text/units.hpp"

namespace edgelab::tasks {
namespace {

using results::duration_text;

bool breaks_bound(const ScenarioSpec& spec, const QueryLog& log, results::JobRecord& record) {
  const double p99 = p99_of(log), bound = static_cast<double>(*spec.latency_bound_ns);
  if (p99 <= bound) return false;
  const double call = results::percentile_of_sorted(results::ascending_of(log.call_ns), 50);
  call_invalid(record.summary,
               fmt::format("the 99th percentile at {} queries/s is {}, over the bound of {}; a call takes {}",
                           results::rate_text(record.scenario.value), duration_text(p99), duration_text(bound),
                           duration_text(call)));
  return true;
}

void judge(const ScenarioSpec& spec, const QueryLog& log, int batch, results::JobRecord& record) {
  results::Summary& summary = record.summary;
  summary.validity = "VALID";
  if (spec.kind == Scenario::server && breaks_bound(spec, log, record)) return;
  const bool offline = spec.kind == Scenario::offline;
  const std::int64_t needed = min_queries_of(spec, batch),
                     had = offline ? log.samples : static_cast<std::int64_t>(log.latency_ns.size());
  if (had < needed) {
    call_invalid(summary, fmt::format("too few {}: {} of {} in {}, the longest that it may take",
                                      offline ? "samples" : "queries", had, needed,
                                      duration_text(static_cast<double>(spec.max_duration_ns))));
  }
  if (const std::optional<double> drift = results::drift_of(log.call_ns)) {
    call_invalid(summary, fmt::format("drift: the last third of the calls took {} times as long as the first",
                                      results::figures_text(*drift, 3)));
  }
}

}  // namespace

void call_invalid(results::Summary& summary, const std::string& reason) {
  summary.validity = "INVALID";
  summary.invalid_reason = summary.invalid_reason ? *summary.invalid_reason + "; " + reason : reason;
}

void record_scenario(const ScenarioSpec& spec, ScenarioOutcome outcome, int batch, results::JobRecord& record) {
  QueryLog& log = outcome.log;
  const double seconds = 1e-9 * static_cast<double>(std::max<std::int64_t>(log.duration_ns, 1));
  const double percent = percentile_of(spec.kind);
  results::ScenarioRecord& scenario = record.scenario;
  scenario.kind = name_of(spec.kind);
  scenario.queries = spec.kind == Scenario::offline ? 1 : static_cast<std::int64_t>(log.latency_ns.size());
  scenario.samples_per_query = log.samples / scenario.queries;
  scenario.duration_ns = log.duration_ns;
  record.summary.throughput_samples_per_second = static_cast<double>(log.samples) / seconds;
  if (percent > 0) {
    const std::vector<std::int64_t> ascending = results::ascending_of(log.latency_ns);
    scenario.percentile = percent;
    scenario.percentile_at_most_ns = results::percentile_bound(ascending, percent);
    scenario.metric = fmt::format("latency_p{:.0f}_ns", percent);
    scenario.value = results::percentile_of_sorted(ascending, percent);
  }
  if (spec.kind == Scenario::server) {
    scenario.latency_bound_ns = spec.latency_bound_ns;
    scenario.metric = "queries_per_second";
    scenario.value = outcome.queries_per_second;
  }
  if (spec.kind == Scenario::offline) {
    scenario.metric = "samples_per_second";
    scenario.value = *record.summary.throughput_samples_per_second;
  }
  judge(spec, log, batch, record);
  record.rates = std::move(outcome.rates);
  record.latency_ns = std::move(spec.kind == Scenario::offline ? log.call_ns : log.latency_ns);
  record.repeats = 1;
  record.calls = static_cast<std::int64_t>(record.latency_ns.size());
}

}  // namespace edgelab::tasks
