#pragma once

#include <cstdint>
#include <memory>

#include "batch/control/controller.hpp"
#include "batch/control/mailbox.hpp"
#include "batch/control/worker.hpp"
#include "parallel/communicator.hpp"

namespace edgelab::batch {

// How the loop ended. Not orderly: a job's thread may still run, or a peer may be gone, so the process must end by
// parallel::Environment::leave() and not wait for anybody.
struct LoopEnd {
  int exit_code = 0;
  bool orderly = true;
};

// One process of the batch cluster: its control loop (the thread that calls), and its worker. Rank 0 calls lead() and
// then dismiss(); every other rank calls serve(), which returns when rank 0 dismisses it. A SignalWatch must live meanwhile.
class Cluster {
 public:
  // Collective. `run` and `parse` are what jobs do here.
  Cluster(const parallel::Communicator& world, TaskFunction run, ParseFunction parse);

  const parallel::HostLayout& layout() const { return layout_; }

  // Rank 0: schedules and works until every job has ended or a signal came, here or on another rank: then the running jobs
  // are reported as interrupted, within milliseconds, and the exit code is 128 + the signal. May be called again.
  LoopEnd lead(Work work, Observer observer);
  // Rank 0: ends serve() everywhere. Waits until MPI has taken the messages; 200 ms at most if the end is not orderly.
  void dismiss(const LoopEnd& end);

  LoopEnd serve();

 private:
  void handle_as_worker(const Letter& letter);
  bool exchange(Controller* controller);
  void report_signal();
  bool gave_up_on_rank_0() const;

  parallel::HostLayout layout_;
  Mailbox mailbox_;
  std::unique_ptr<Worker> worker_;
  int signal_ = 0;  // the first that this rank knows of
  std::int64_t signal_time_ns_ = 0;
  bool shut_down_ = false;
  LoopEnd end_;
};

}  // namespace edgelab::batch
