#pragma once

#include "kernels/activation/activation.hpp"

namespace edgelab::kernels {

// d activate(kind, x) / dx; at a corner 0, as PyTorch's hardtanh_backward and threshold_backward have it.
inline double slope(ActivationKind kind, double x) {
  switch (kind) {
    case ActivationKind::none: return 1;
    case ActivationKind::relu: return x > 0 ? 1 : 0;
    case ActivationKind::relu6: return x > 0 && x < 6 ? 1 : 0;
    case ActivationKind::gelu: {
      const double density = std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
      return 0.5 * (1.0 + std::erf(x / std::numbers::sqrt2)) + x * density;
    }
  }
  return 1;
}

}  // namespace edgelab::kernels
