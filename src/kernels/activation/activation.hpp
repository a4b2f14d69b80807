#pragma once

#include <cmath>
#include <numbers>

#include "kernels/op.hpp"

namespace edgelab::kernels {

// gelu is the exact one, x · Φ(x) with Φ by erf (Hendrycks and Gimpel 2016), as timm's models use.
enum class ActivationKind : std::uint8_t { none, relu, relu6, gelu };

std::string_view name_of(ActivationKind kind);

inline double activate(ActivationKind kind, double x) {
  switch (kind) {
    case ActivationKind::none: return x;
    case ActivationKind::relu: return x > 0 ? x : 0;
    case ActivationKind::relu6: return x < 0 ? 0 : (x > 6 ? 6 : x);
    case ActivationKind::gelu: return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
  }
  return x;
}

// y = f(x), any shape.
struct Activation {
  static constexpr std::string_view kName = "activation";
  ActivationKind kind = ActivationKind::relu;
  DType output = DType::f32;  // or bf16, for readers that would round it

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, in any layout, padding included; gelu's error is vector_math's.
Offer activation_simd(const CallSite& site);
Offer activation_onednn(const CallSite& site);
Offer activation_reference(const CallSite& site);

}  // namespace edgelab::kernels
