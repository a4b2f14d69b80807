#include "kernels/pool/global_average_pool_backward.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> GlobalAveragePoolBackward::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 2, "the output's gradient");
  if (height < 1 || width < 1) throw Error(ErrorKind::data, "global_average_pool_backward: the settings make no sense").got(text());
  return {{inputs[0].dtype, {inputs[0].shape[0], inputs[0].shape[1], height, width}}};
}

std::int64_t GlobalAveragePoolBackward::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return inputs[0].elements(); }

std::string GlobalAveragePoolBackward::text() const { return "to " + std::to_string(height) + "×" + std::to_string(width); }

std::span<const Implementation> GlobalAveragePoolBackward::implementations() {
  static constexpr Implementation list[] = {{"tile", global_average_pool_backward_tile}, {"reference", global_average_pool_backward_reference}};
  return list;
}

}  // namespace edgelab::kernels
