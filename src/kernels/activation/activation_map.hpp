#pragma once

#include <cstdint>

#include "kernels/activation/activation.hpp"

// Activations and their gradients on whole vectors (Highway), on this thread.
namespace edgelab::kernels {

// y[i] = f(x[i]); may be in place.
void activate(ActivationKind kind, const float* x, float* y, std::int64_t count);

// The same rounded to nearest even.
void activate_to_bf16(ActivationKind kind, const float* x, std::uint16_t* y, std::int64_t count);

// dx[i] = f'(x[i]) · dy[i]; dx may be dy. gelu's slope is off by at most kGeluSlopeError.
void activate_backward(ActivationKind kind, const float* x, const float* dy, float* dx, std::int64_t count);
// The same on rows of `columns`, `ld` apart in all three.
void activate_backward_rows(ActivationKind kind, const float* x, const float* dy, float* dx, std::int64_t ld, std::int64_t rows, std::int64_t columns);
inline constexpr double kGeluSlopeError = 1e-6;

}  // namespace edgelab::kernels
