#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/progress_report.hpp"

namespace edgelab::tasks {

class JobTelemetry;

// What a task is given beside its specification.
struct TaskContext {
  const parallel::Communicator& communicator;  // of the job's own ranks
  int threads = 1;                             // of this rank; the job's `threads` has been taken into account
  std::function<void(const ProgressReport&)> progress;  // may be empty
  std::function<bool()> cancelled;             // polled between calls; may be empty
  bool want_logits = false;  // keep logits in the record whatever `keep_logits` says: another job compares with them
  // The job's own folder, for checkpoints: the same for every attempt and for --resume. Empty: none. It need not exist yet.
  std::filesystem::path folder;
  // Files that other jobs have made, by the job: safetensors, as the job would have written them.
  std::map<std::string, std::vector<std::uint8_t>> weights_of_jobs;
  // What this job makes for others, on its rank 0.
  std::vector<std::uint8_t> made_weights;
  std::filesystem::path host_root = "/";  // below which the hosts' sensors are read; tests fill a folder of their own
  int index_on_host = 0, ranks_on_host = 1;  // of this process, among all of the run: which of the host's CUDA devices it takes
  std::string device = "cpu", device_note = {};  // run_task() sets them: what it computes on, and why not on what the job would rather have
  JobTelemetry* telemetry = nullptr;      // run_task() sets it; tasks open windows on it (tasks/telemetry/job_telemetry.hpp)
};

// Runs the job. Collective over context.communicator; blocks until the job's part on this rank is done. The record is
// whole on rank 0 of the communicator; on the others only `ranks` is filled, with their own row. Status, id, times and
// expectations are the caller's.
// Throws Error for what is wrong with the job, and Cancelled.
results::JobRecord run_task(const JobSpec& spec, TaskContext& context);

// Everything about the job that this version of edgelab, or this machine, can't do; empty if it can be tried. Checked
// before anything starts, so that a batch doesn't find out after an hour.
std::vector<Error> unsupported(const JobSpec& spec);

// SHA-256 of everything the job reads: ("data", …), ("weights", …). Throws Error (environment) if something is missing.
std::vector<std::pair<std::string, std::string>> input_hashes(const JobSpec& spec);

}  // namespace edgelab::tasks
