#pragma once

#include <exception>
#include <functional>

#include "parallel/communicator.hpp"

namespace edgelab::parallel {

// Does `work`, each rank its own, and then finds out whether it went well on all of them: a rank that failed throws its own error, the
// others an Error of the same kind that begins with "rank N: ", N being the lowest that failed. So nobody goes on to wait for a rank
// that has left. Collective behind the work, in which there must be no messages; Cancelled and PeerFailed pass through at once.
void together(const Communicator& communicator, const std::function<void()>& work);

}  // namespace edgelab::parallel
