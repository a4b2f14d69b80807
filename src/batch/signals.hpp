#pragma once

namespace edgelab::batch {

// While it lives, SIGINT and SIGTERM set a flag instead of ending the process. A second one ends it at once with
// 128 + its number, unless it comes within 300 ms of the first: on Ctrl-C the terminal and mpirun may both send one, and
// the first must have time to finish the results file. One object at a time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The first signal received, or 0.
  static int received();
};

}  // namespace edgelab::batch
