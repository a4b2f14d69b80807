#pragma once

namespace edgelab::batch {

// While it lives, SIGINT, SIGTERM and SIGUSR1 set a flag instead of ending the process. A second one ends it at once with
// 128 + its number, unless it comes within 300 ms of the first: on Ctrl-C the terminal and mpirun may both send one, and
// the first must have time to finish the results file. One object at a time.
//
// SIGUSR1 is a SIGTERM that mpirun can be sent: that it passes on to all ranks at once, and ends with their exit code. A
// SIGTERM it answers itself (Open MPI 4.1.4): it waits odls_base_sigkill_timeout, sends the ranks one, waits that long
// again, kills them, and ends with 1. At a second SIGTERM it leaves at once, its ranks left behind. SIGUSR1 is never taken
// for a second signal: where a queueing system ends a job all processes get SIGTERM, and who passes it on can't know.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The first signal received, SIGTERM for SIGUSR1, or 0.
  static int received();
};

}  // namespace edgelab::batch
