#pragma once

#include <cstdint>

#include "parallel/communicator.hpp"

namespace edgelab::parallel {

// What is to be added to this rank's now_ns() to have rank 0's, by the shortest of several round trips, of which it may be off by half
// (F. Cristian, "Probabilistic clock synchronization", 1989). 0 where it can't be told from 0, as between ranks of one host. Collective;
// takes ten round trips for each rank.
std::int64_t clock_offset_ns(const Communicator& communicator);

}  // namespace edgelab::parallel
