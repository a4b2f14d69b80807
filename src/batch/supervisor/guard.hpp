#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace edgelab::batch {

struct GuardSettings {
  std::vector<std::string> command;  // of the rank; found on PATH
  std::string mark;                  // of its reports (rank_end.hpp)
  std::chrono::seconds grace{30};  // between an order to end and SIGKILL
  bool survives = false;           // the other ranks go on when this one ends (parallel/failures.hpp)
};

// A rank's parent process, between it and mpirun. Runs the rank, passes its stderr on, and when the rank ends otherwise than
// with 0 says on stderr how (rank_end.hpp), so that the supervisor depends on no wording of an mpirun. Returns the exit code
// for mpirun.
//
// - The rank sits in a process group of its own, gets SIGKILL when its guard is gone, and the guard kills it when mpirun
//   is gone: whatever dies, what is below it dies.
// - SIGUSR1 and SIGUSR2, which mpirun passes on to its processes, are the supervisor's orders to end: the rank gets SIGTERM
//   or SIGINT, and SIGKILL after the grace time. mpirun's own SIGTERM could give no such time: its one setting,
//   odls_base_sigkill_timeout, is a time that it always sleeps, twice, after every crash (Open MPI 4.1).
// - A rank's end makes mpirun end all others, and rank 0 may still be writing the results: after an order to end, the guards
//   of other ranks stay until mpirun ends them.
// - Where ranks survive each other, mpirun tells the others of a rank's death only if its own child, the guard, dies of a signal,
//   or ends with 0 though the rank never got to MPI_Finalize; of other exit codes it tells nobody (Open MPI 5.0.11). So the guard dies
//   of its rank's signal, and ends with 0 else. It also reports rank 0's end with 0, because mpirun's exit code is then that of a
//   rank that died long ago; and it waits for nobody, since a rank's end ends no other.
// - Exit codes 1, 2 and 3 are how a batch may end, and reported: mpirun hears 0, or it would add two paragraphs on "abnormal"
//   termination. A rank that did not get to MPI_Finalize is noticed all the same.
int guard(const GuardSettings& settings);

}  // namespace edgelab::batch
