#pragma once

#include <cstdint>

#include "kernels/fake_quantize/fake_quantize.hpp"

namespace edgelab::kernels {

// y as FakeQuantize has it, of numbers that share a scale.
void fake_quantize_row(const FakeQuantize& op, float scale, const float* x, std::int64_t count, float* y);
// dx as FakeQuantizeBackward has it; what comes back is Σ dy · e.
float fake_quantize_backward_row(const FakeQuantize& op, float scale, const float* x, const float* dy, std::int64_t count, float* dx);

}  // namespace edgelab::kernels
