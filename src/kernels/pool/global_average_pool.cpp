#include "kernels/pool/global_average_pool.hpp"

namespace edgelab::kernels {

std::vector<TensorType> GlobalAveragePool::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 4, "the input");
  return {{inputs[0].dtype, {inputs[0].shape[0], inputs[0].shape[1]}}};
}

std::int64_t GlobalAveragePool::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return inputs[0].elements(); }

std::span<const Implementation> GlobalAveragePool::implementations() {
  static constexpr Implementation list[] = {
      {"tile", global_average_pool_tile}, {"onednn", global_average_pool_onednn}, {"reference", global_average_pool_reference}};
  return list;
}

}  // namespace edgelab::kernels
