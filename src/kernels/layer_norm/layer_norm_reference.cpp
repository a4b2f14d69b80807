#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/floats.hpp"
#include "kernels/layer_norm/layer_norm.hpp"

namespace edgelab::kernels {

Offer layer_norm_reference(const CallSite& site) {
  const double epsilon = site.op.as<LayerNorm>()->epsilon;
  const DType type = site.outputs[0].dtype;
  const std::int64_t width = site.inputs[0].shape.back();
  const std::int64_t rows = site.inputs[0].elements() / width;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const float *x = floats(0), *weight = floats(1), *bias = floats(2);
      std::byte* y = buffers.outputs[0];
      return [=] {
        parallel_for(rows, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) {
            const float* from = x + row * width;
            double mean = 0.0, variance = 0.0;
            for (std::int64_t i = 0; i < width; ++i) mean += static_cast<double>(from[i]);
            mean /= static_cast<double>(width);
            for (std::int64_t i = 0; i < width; ++i) variance += (static_cast<double>(from[i]) - mean) * (static_cast<double>(from[i]) - mean);
            const double scale = 1.0 / std::sqrt(variance / static_cast<double>(width) + epsilon);
            for (std::int64_t i = 0; i < width; ++i) {
              const double value = (static_cast<double>(from[i]) - mean) * scale * static_cast<double>(weight[i]) + static_cast<double>(bias[i]);
              store_float(y, type, row * width + i, static_cast<float>(value));
            }
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
