#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// f'(x). Where there is none, PyTorch's choice: relu's is 1 above 0 only, relu6's strictly between 0 and 6.
// gelu: Φ(x) + x · φ(x), Φ and φ the normal distribution and its density.
inline double activation_slope(ActivationKind kind, double x) {
  switch (kind) {
    case ActivationKind::none: return 1;
    case ActivationKind::relu: return x > 0 ? 1 : 0;
    case ActivationKind::relu6: return x > 0 && x < 6 ? 1 : 0;
    case ActivationKind::gelu:
      return 0.5 * (1.0 + std::erf(x / std::numbers::sqrt2)) + x * std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  }
  return 1;
}

// The gradient of Activation: dx = f'(x) · dy. Inputs: x, dy of one shape, fp32; output: dx of the same.
struct ActivationBackward {
  static constexpr std::string_view kName = "activation_backward";
  ActivationKind kind = ActivationKind::relu;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, in any layout, padding included (activation_map.hpp states the error).
Offer activation_backward_simd(const CallSite& site);
Offer activation_backward_reference(const CallSite& site);

}  // namespace edgelab::kernels
