#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/floats.hpp"
#include "kernels/linear_backward/linear_backward_weights.hpp"

namespace edgelab::kernels {

Offer linear_backward_weights_reference(const CallSite& site) {
  const LinearBackwardWeights settings = *site.op.as<LinearBackwardWeights>();
  const std::int64_t in = site.inputs[0].shape.back(), out = site.inputs[1].shape.back(), rows = site.inputs[0].elements() / in;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const DType x_type = site.inputs[0].dtype;
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const std::byte* x = input_bytes(buffers, constants, 0);
      const float* dy = floats(1);
      auto* dw = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* db = settings.has_bias ? reinterpret_cast<float*>(buffers.outputs[1]) : nullptr;
      return [=] {
        parallel_for(out, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t o = begin; o < end; ++o) {
            for (std::int64_t k = 0; k < in; ++k) {
              double sum = 0.0;
              for (std::int64_t row = 0; row < rows; ++row) {
                sum += operand(settings.compute, dy[row * out + o]) * operand(settings.compute, load_float(x, x_type, row * in + k));
              }
              dw[o * in + k] = static_cast<float>(sum);
            }
            if (db == nullptr) continue;
            double sum = 0.0;
            for (std::int64_t row = 0; row < rows; ++row) sum += static_cast<double>(dy[row * out + o]);
            db[o] = static_cast<float>(sum);
          }
        });
      };
    }};
  });
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
