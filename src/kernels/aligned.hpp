#pragma once

#include <cstddef>

#include "core/tensor.hpp"

namespace edgelab::kernels {

// The next multiple of kAlignment: where a piece of scratch may begin behind so many bytes.
constexpr std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace edgelab::kernels
