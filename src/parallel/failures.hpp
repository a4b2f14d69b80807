#pragma once

#include <exception>
#include <string>
#include <vector>

namespace edgelab::parallel {

// What becomes of the others when a rank dies. Usually mpirun ends them all. Under Open MPI 5's `mpirun --with-ft ulfm`
// (User-Level Failure Mitigation; Bland, Bouteiller, Herault, Bosilca, Dongarra, 2013) they hear of it and go on:
//   operations that need the dead rank throw PeerFailed instead of waiting for ever
//   Communicator::failed() tells who died, and from then on receives from any source work again
// A communicator with a dead rank still carries messages between the living, and groups of them can be made of it
// (Communicator::create_group); it is of no use for collectives. Everything that depends on the MPI at hand is in failures.cpp.

// True if this program outlives its ranks. False also where MPI could but mpirun was not told to. Needs a living Environment.
bool survives_failures();

// True if the MPI that this program was built with could, had its mpirun been given `--with-ft ulfm`. Needs no Environment.
bool mpi_can_survive_failures();

// Thrown by a Communicator's operations when ranks that they need have died. Not an Error: the job is not to blame, and
// whoever started it knows who died.
class PeerFailed : public std::exception {
 public:
  explicit PeerFailed(std::vector<int> ranks);  // of the communicator, as far as this rank knows; may be empty
  const std::vector<int>& ranks() const { return ranks_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::vector<int> ranks_;
  std::string what_;
};

}  // namespace edgelab::parallel
