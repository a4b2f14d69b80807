#pragma once

#include <span>

#include "results/job_record.hpp"

namespace edgelab::results {

// Fills in what the job's hosts drew before the run, and the job's energy above that, where all of them tell. A name that
// two of the run's hosts share tells nothing about either.
void subtract_idle_power(JobRecord& job, std::span<const HostRecord> hosts);

}  // namespace edgelab::results
