#pragma once

#include <string>

#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/scenario/scenario_run.hpp"

namespace edgelab::tasks {

// The record's latencies, scenario, rates and throughput, and whether it is VALID, as far as the queries tell.
void record_scenario(const ScenarioSpec& spec, ScenarioOutcome outcome, int batch, results::JobRecord& record);

// One more reason why it is INVALID.
void call_invalid(results::Summary& summary, const std::string& reason);

}  // namespace edgelab::tasks
