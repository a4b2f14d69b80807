#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "parallel/communicator.hpp"

namespace edgelab::tasks {

// What rank 0 makes, for every rank: ranks on unlike machines would come to other last bits. An Error of its own is every rank's.
// Collective; `make` is called on rank 0 alone.
std::vector<std::uint8_t> agreed(const parallel::Communicator& communicator, const std::function<std::vector<std::uint8_t>()>& make);

}  // namespace edgelab::tasks
