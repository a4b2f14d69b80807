#pragma once

#include <string>

namespace edgelab::parallel {

// MPI for as long as the object lives. Works alone (a world of one rank) and under mpirun or srun. Where MPI is running
// already (a test's main) it is used as it is and left running.
class Environment {
 public:
  // Blocks until the world is up. Throws Error (environment) if MPI can't start or gives less than MPI_THREAD_MULTIPLE.
  Environment();
  // MPI_Finalize: collective, and it may wait for a peer for ever if one is gone. Then end by leave() instead.
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Ends the process at once without MPI_Finalize and without destructors, after flushing stdout and stderr.
  [[noreturn]] static void leave(int exit_code);

 private:
  bool owned_ = false;
};

// "Open MPI v4.1.4, package: …"; needs no Environment.
std::string mpi_library_version();

}  // namespace edgelab::parallel
