#pragma once

#include <optional>

#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace edgelab::app {

// Collective; empty, or on every rank the same Error (environment). Ranks of different builds would misread each other's
// messages.
std::optional<Error> different_builds(const parallel::Communicator& world);

}  // namespace edgelab::app
