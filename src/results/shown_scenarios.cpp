#include "results/shown_scenarios.hpp"

#include <fmt/format.h>

#include "results/text/units.hpp"

namespace edgelab::results {

bool runs_from_arrival(const JobRecord& job) { return !job.scenario.kind.empty() && job.scenario.kind != "offline"; }

std::string scenario_result_text(const JobRecord& job) {
  const ScenarioRecord& scenario = job.scenario;
  if (scenario.metric == "queries_per_second") {
    const std::string rate = rate_text(scenario.value) + " queries/s";
    const auto bound = scenario.latency_bound_ns.value_or(0), p99 = job.summary.latency_p99_ns.value_or(0);
    if (p99 <= bound) return rate + " within " + duration_text(static_cast<double>(bound));
    return fmt::format("p99 {} at {}, over {}", duration_text(static_cast<double>(p99)), rate,
                       duration_text(static_cast<double>(bound)));
  }
  if (scenario.metric == "samples_per_second") return rate_text(scenario.value) + " samples/s";
  return fmt::format("p{:.0f} {}", scenario.percentile.value_or(0), duration_text(scenario.value));
}

std::string scenario_outcome_text(const JobRecord& job) {
  return job.scenario.kind + " " + job.summary.validity.value_or("") + ", " + scenario_result_text(job);
}

std::string scenario_table(const RunRecord& run, const Look& look) {
  TextTable table({{"scenario of", false}, {"kind", false}, {"", false}, {"result", false}, {"at most"}, {"queries"}});
  bool any = false;
  for (const JobRecord& job : run.jobs) {
    const ScenarioRecord& scenario = job.scenario;
    if (scenario.kind.empty()) continue;
    const std::string validity = job.summary.validity.value_or("");
    table.add(
        {{safe_for_terminal(job.id)},
         {safe_for_terminal(scenario.kind)},
         {safe_for_terminal(validity), validity == "VALID" ? Ink::good : Ink::bad},
         {scenario_result_text(job)},
         {scenario.percentile_at_most_ns ? duration_text(static_cast<double>(*scenario.percentile_at_most_ns)) : ""},
         {count_text(static_cast<double>(scenario.queries))}});
    any = true;
  }
  return any ? "\n" + table.text(look) : "";
}

}  // namespace edgelab::results
