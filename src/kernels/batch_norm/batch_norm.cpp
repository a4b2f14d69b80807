#include "kernels/batch_norm/batch_norm.hpp"

#include <cstdio>

namespace edgelab::kernels {

std::vector<TensorType> BatchNorm::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 5, 5);
  require_rank(kName, inputs[0], 4, "the input");
  constexpr std::string_view kNames[] = {"the input", "the weight", "the bias", "the mean", "the variance"};
  for (std::size_t i = 1; i < 5; ++i) require_shape(kName, inputs[i], {inputs[0].shape[1]}, kNames[i]);
  return {inputs[0]};
}

std::int64_t BatchNorm::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const { return 2 * outputs[0].elements(); }

std::string BatchNorm::text() const {
  char text[32];
  std::snprintf(text, sizeof text, "epsilon %g", epsilon);
  return text + (activation == ActivationKind::none ? "" : ", " + std::string(name_of(activation)));
}

std::span<const Implementation> BatchNorm::implementations() {
  static constexpr Implementation list[] = {{"simd", batch_norm_simd}, {"onednn", batch_norm_onednn}, {"reference", batch_norm_reference}};
  return list;
}

}  // namespace edgelab::kernels
