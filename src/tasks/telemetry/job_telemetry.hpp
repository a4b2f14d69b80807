#pragma once

#include <cstdint>
#include <memory>

#include "core/telemetry/host_sampler.hpp"
#include "parallel/communicator.hpp"
#include "results/job_record.hpp"

namespace edgelab::tasks {

struct TaskContext;

// The telemetry of one job: on each of its hosts, the lowest of its ranks there samples the host while the job is measured.
// What a meter tells is of the whole host, whoever else works there.
class JobTelemetry {
 public:
  // The context's, from here on until this ends: tasks open windows on it. Collective over the job's ranks.
  explicit JobTelemetry(TaskContext& context);
  ~JobTelemetry();
  JobTelemetry(const JobTelemetry&) = delete;
  JobTelemetry& operator=(const JobTelemetry&) = delete;

  // Puts what all hosts told into the record of rank 0. Collective, outside of windows.
  void gather(results::JobRecord& record) const;

 private:
  friend class MeasuredWindow;
  friend void forget_measured(const TaskContext& context);

  void begin();

  TaskContext& context_;
  const parallel::Communicator& communicator_;
  std::int64_t began_ns_;
  std::unique_ptr<HostSampler> sampler_;  // of the rank that samples
  std::int64_t samples_ = 0;
};

// What was measured so far does not count. Outside of windows.
void forget_measured(const TaskContext& context);

// A stretch of a job that is measured, on this rank, from construction to destruction: energy and telemetry are those of all
// such stretches together. Both ends read the sensors, which may take milliseconds: they belong outside of what is timed, and
// where ranks wait for one another, the beginning before a barrier. Does nothing where the context has no telemetry.
class MeasuredWindow {
 public:
  explicit MeasuredWindow(const TaskContext& context);
  ~MeasuredWindow();
  MeasuredWindow(const MeasuredWindow&) = delete;
  MeasuredWindow& operator=(const MeasuredWindow&) = delete;

  // So many samples went through the model, on all ranks together. Rank 0's word counts.
  void add_samples(std::int64_t count);

 private:
  JobTelemetry* telemetry_;
};

}  // namespace edgelab::tasks
