#pragma once

#include <string>

#include "results/job_record.hpp"
#include "results/text/table.hpp"

// What `results show` draws as sparklines.
namespace edgelab::results {

// How the calls spread from the shortest to the 99th percentile, a column a share of that range; empty without calls.
std::string latency_spread(const JobRecord& job);

// Loss and accuracy over the epochs of each training job; empty where none trained.
std::string training_table(const RunRecord& run, const Look& look);

// Accuracy over the trials of each job that searched, that of its own settings and of those it took, and which these are; empty where
// none did.
std::string trials_table(const RunRecord& run, const Look& look);

// Temperature, frequency and power over each job, lowest to highest; empty where nothing was sampled.
std::string telemetry_table(const RunRecord& run, const Look& look);

}  // namespace edgelab::results
