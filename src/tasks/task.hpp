#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::tasks {

// What a task is given beside its specification.
struct TaskContext {
  const parallel::Communicator& communicator;  // of the job's own ranks
  int threads = 1;                             // of this rank; the job's `threads` has been taken into account
  std::function<void(double, const std::string&)> progress;  // fraction done in [0, 1], and what is being done; may be empty
  std::function<bool()> cancelled;                           // polled between calls; may be empty
  bool want_logits = false;  // keep logits in the record whatever `keep_logits` says: another job compares with them
};

// Runs the job. Collective over context.communicator; blocks until the job's part on this rank is done. The record is
// whole on rank 0 of the communicator; on the others only `ranks` is filled, with their own row. Status, id, times and
// expectations are the caller's.
// Throws Error for what is wrong with the job, and parallel::Cancelled.
results::JobRecord run_task(const JobSpec& spec, TaskContext& context);

// Everything about the job that this version of edgelab, or this machine, can't do; empty if it can be tried. Checked
// before anything starts, so that a batch doesn't find out after an hour.
std::vector<Error> unsupported(const JobSpec& spec);

// SHA-256 of everything the job reads: ("data", …), ("weights", …). Throws Error (environment) if something is missing.
std::vector<std::pair<std::string, std::string>> input_hashes(const JobSpec& spec);

}  // namespace edgelab::tasks
