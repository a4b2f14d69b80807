#pragma once

#include <nlohmann/json_fwd.hpp>

#include "results/job_record.hpp"

namespace edgelab::results {

// The run in the Trace Event Format, for Perfetto (ui.perfetto.dev) and chrome://tracing: a process for each host, a thread for each
// rank, a slice for each job that it worked on, and in that the rank's spans, where the job has some. Times begin with the first job.
nlohmann::ordered_json trace_events(const RunRecord& run);

}  // namespace edgelab::results
