#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "batch/control/mailbox.hpp"
#include "batch/control/messages.hpp"
#include "parallel/communicator.hpp"
#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/task.hpp"

namespace edgelab::batch {

// What a job does: tasks::run_task, or a test's own. Collective over context.communicator; the record that the job's rank
// 0 returns counts. Must poll context.cancelled() where it computes for long.
using TaskFunction = std::function<results::JobRecord(const tasks::JobSpec&, tasks::TaskContext&)>;
using ParseFunction = std::function<tasks::JobSpec(const std::string& resolved)>;

struct WorkerSettings {
  TaskFunction run;
  ParseFunction parse;     // batch::parse_resolved_job, or a test's own
  std::vector<int> cores;  // of this host
  int index_on_host = 0, ranks_on_host = 1;
};

// One process's part in jobs: at most one attempt at a time, in a thread of its own with a communicator of its own. The
// methods are the control loop's; they never block but for assign(), which joins the thread of the attempt before.
class Worker {
 public:
  // `world` is the parent of the jobs' communicators; only the jobs' threads use it.
  Worker(WorkerSettings settings, Mailbox& mailbox, parallel::Communicator world);
  // Waits for the attempt under way, which must have been cancelled or have ended by itself.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void assign(Assign assignment);
  void cancel(int tag);   // stops and acknowledges
  void release(int tag);

 private:
  static Ended run(const Assign& assignment, const WorkerSettings& settings, const parallel::Communicator& world, Mailbox& mailbox,
                   const std::shared_ptr<CancelToken>& token);

  WorkerSettings settings_;
  Mailbox& mailbox_;
  parallel::Communicator world_;
  int tag_ = -1;
  std::shared_ptr<CancelToken> token_;
  std::thread thread_;
};

}  // namespace edgelab::batch
