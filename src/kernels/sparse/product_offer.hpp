#pragma once

#include <optional>

#include "kernels/implementation.hpp"
#include "kernels/sparse/product.hpp"

namespace edgelab::kernels::sparse {

// Where an op that is a Product has its weight, and what may be missing, among its inputs, x being the first.
struct ProductInputs {
  std::size_t weight = 1;
  std::optional<std::size_t> bias, residual;
};

// The offer of such an op, in plain layouts; a refusal where the weight isn't known or has too few zeros.
Offer product_offer(const CallSite& site, const Product::Settings& settings, const ProductInputs& inputs);

}  // namespace edgelab::kernels::sparse
