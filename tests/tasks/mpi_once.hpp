#pragma once

#include "parallel/environment.hpp"

namespace edgelab::test {

// MPI can start once a process only; it is up from the first call until the program ends.
inline void need_mpi() { static const parallel::Environment environment; }

}  // namespace edgelab::test
