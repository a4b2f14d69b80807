#include "kernels/mlp/mlp.hpp"

namespace edgelab::kernels {

std::vector<TensorType> Mlp::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, kInputs, kInputs);
  const std::int64_t width = inputs[kX].shape.back();
  require_rank(kName, inputs[kUp], 2, "the first weight");
  const std::int64_t hidden = inputs[kUp].shape[0];
  require_shape(kName, inputs[kNormWeight], {width}, "the normalisation's weight");
  require_shape(kName, inputs[kNormBias], {width}, "the normalisation's bias");
  require_shape(kName, inputs[kUp], {hidden, width}, "the first weight");
  require_shape(kName, inputs[kUpBias], {hidden}, "the first bias");
  require_shape(kName, inputs[kDown], {width, hidden}, "the second weight");
  require_shape(kName, inputs[kDownBias], {width}, "the second bias");
  return {inputs[kX]};
}

std::int64_t Mlp::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  const std::int64_t elements = inputs[kX].elements(), width = inputs[kX].shape.back(), hidden = inputs[kUp].shape[0];
  return 4 * elements * hidden + elements / width * hidden + 9 * elements;
}

std::string Mlp::text() const {
  return std::string(name_of(activation)) + (compute == DType::f32 ? "" : ", " + std::string(edgelab::name_of(compute)));
}

std::span<const Implementation> Mlp::implementations() {
  static constexpr Implementation list[] = {{"tile", mlp_tile}, {"reference", mlp_reference}};
  return list;
}

}  // namespace edgelab::kernels
