#pragma once

namespace edgelab::batch {

// While it lives, SIGINT, SIGTERM, SIGHUP and SIGUSR1 set a flag instead of ending the process. A second SIGINT or SIGTERM ends it at once with
// 128 + its number, unless it comes within 300 ms of the first: on Ctrl-C the terminal and mpirun may both send one, and
// the first must have time to finish the results file. One object at a time.
//
// SIGHUP, when the terminal or the ssh session goes, is a SIGTERM that is no first one: a SIGTERM to all that is left of the
// session often follows, and jobs must still have their time to save their work.
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

  // The first signal received, SIGTERM for SIGHUP and SIGUSR1, or 0.
  static int received();
};

}  // namespace edgelab::batch
