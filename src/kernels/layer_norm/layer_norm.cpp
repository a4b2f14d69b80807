#include "kernels/layer_norm/layer_norm.hpp"

#include <cstdio>

namespace edgelab::kernels {

std::vector<TensorType> LayerNorm::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 3, 3);
  require_shape(kName, inputs[1], {inputs[0].shape.back()}, "the weight");
  require_shape(kName, inputs[2], {inputs[0].shape.back()}, "the bias");
  return {{output == DType::f32 ? inputs[0].dtype : output, inputs[0].shape}};
}

std::int64_t LayerNorm::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const { return 8 * outputs[0].elements(); }

std::string LayerNorm::text() const {
  char text[32];
  std::snprintf(text, sizeof text, "epsilon %g", epsilon);
  return output == DType::f32 ? text : text + (", to " + std::string(name_of(output)));
}

std::span<const Implementation> LayerNorm::implementations() {
  static constexpr Implementation list[] = {{"simd", layer_norm_simd}, {"onednn", layer_norm_onednn}, {"reference", layer_norm_reference}};
  return list;
}

}  // namespace edgelab::kernels
