#pragma once

#include <cstdint>
#include <memory>

#include "batch/control/controller.hpp"
#include "batch/control/mailbox.hpp"
#include "batch/control/worker.hpp"
#include "parallel/communicator.hpp"

namespace edgelab::batch {

// How the loop ended. Not orderly: a job's thread may still run, or a peer may be gone, so the process must end by
// parallel::Environment::leave() and not wait for anybody. Complete: every job has ended for good.
struct LoopEnd {
  int exit_code = 0;
  bool orderly = true;
  bool complete = true;
};

// One process of the batch cluster: its control loop (the thread that calls), and its worker. Rank 0 calls lead() and
// then dismiss(); every other rank calls serve(), which returns when rank 0 dismisses it. A SignalWatch must live meanwhile.
class Cluster {
 public:
  // Collective. `run` and `parse` are what jobs do here. `grace_ns`, the same on every rank: how long jobs may go on after
  // a signal (Controller::wind_up); whoever sent it must be that patient.
  Cluster(const parallel::Communicator& world, TaskFunction run, ParseFunction parse, std::int64_t grace_ns = kMpirunGraceNs);

  // mpirun kills one second after its SIGTERM, and the file must be written by then.
  static constexpr std::int64_t kMpirunGraceNs = 300'000'000;

  const parallel::HostLayout& layout() const { return layout_; }

  // What a person asked for goes to the controller through here, between two turns of the loop.
  using Steering = std::function<void(Controller&)>;

  // Rank 0: schedules and works until every job has ended, or a restart is wanted (kRestartWanted), or a signal came, here or
  // on another rank: then what still runs after the grace time is reported as interrupted, and the exit code is 128 + the
  // signal. May be called again.
  LoopEnd lead(Work work, Observer observer, Steering steer = {});
  // Rank 0: ends serve() everywhere. Waits until MPI has taken the messages; 200 ms at most if the end is not orderly.
  void dismiss(const LoopEnd& end);

  LoopEnd serve();

 private:
  LoopEnd end_of(Controller& controller) const;
  void handle_as_worker(const Letter& letter);
  bool exchange(Controller* controller);
  void note_deaths(Controller* controller);
  void report_signal();
  bool gave_up_on_rank_0() const;

  parallel::HostLayout layout_;
  Mailbox mailbox_;
  std::unique_ptr<Worker> worker_;
  std::int64_t grace_ns_ = 0;
  int signal_ = 0;  // the first that this rank knows of
  std::int64_t signal_time_ns_ = 0;
  bool shut_down_ = false;
  bool lost_rank_0_ = false;  // nobody is left to say what is to be done
  LoopEnd end_;
};

}  // namespace edgelab::batch
