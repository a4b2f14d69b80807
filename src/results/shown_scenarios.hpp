#pragma once

#include <string>

#include "results/job_record.hpp"
#include "results/text/table.hpp"

namespace edgelab::results {

// Whether the job's latencies are of queries, from arrival to answer, waiting for the model included. Else they are of calls, tensor to
// logits: without a scenario, and offline, where all queries wait from the start.
bool runs_from_arrival(const JobRecord& job);

// "p90 4.12 ms"; "312 queries/s within 15.0 ms"; "840 samples/s". Of a job with a scenario.
std::string scenario_result_text(const JobRecord& job);

// "server VALID, 312 queries/s within 15.0 ms".
std::string scenario_outcome_text(const JobRecord& job);

// A row for each job with a scenario; empty where none has one.
std::string scenario_table(const RunRecord& run, const Look& look);

}  // namespace edgelab::results
