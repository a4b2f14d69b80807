#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"

namespace edgelab::kernels {
namespace {

// Calls at(index) for every element of channel c.
template <class At> void each_of_channel(const Shape& shape, std::int64_t c, const At& at) {
  const std::int64_t pixels = shape[2] * shape[3];
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    const std::int64_t first = (n * shape[1] + c) * pixels;
    for (std::int64_t i = first; i < first + pixels; ++i) at(i);
  }
}

}  // namespace

Offer batch_norm_training_reference(const CallSite& site) {
  const BatchNormTraining settings = *site.op.as<BatchNormTraining>();
  const Shape shape = site.inputs[0].shape;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const auto out = [&](std::size_t output) { return reinterpret_cast<float*>(buffers.outputs[output]); };
      const float *x = floats(0), *weight = floats(1), *bias = floats(2);
      float *y = out(0), *means = out(1), *variances = out(2);
      return [=] {
        parallel_for(shape[1], threads, [=](std::int64_t begin, std::int64_t end) {
          const auto count = static_cast<double>(shape.elements() / shape[1]);
          for (std::int64_t c = begin; c < end; ++c) {
            double sum = 0.0, squares = 0.0;
            each_of_channel(shape, c, [&](std::int64_t i) { sum += static_cast<double>(x[i]); });
            const double mean = sum / count;
            each_of_channel(shape, c, [&](std::int64_t i) { squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean); });
            const double variance = squares / count;
            const double scale = static_cast<double>(weight[c]) / std::sqrt(variance + settings.epsilon);
            each_of_channel(shape, c, [&](std::int64_t i) {
              y[i] = static_cast<float>(activate(settings.activation, (static_cast<double>(x[i]) - mean) * scale + static_cast<double>(bias[c])));
            });
            means[c] = static_cast<float>(mean);
            variances[c] = static_cast<float>(variance);
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
