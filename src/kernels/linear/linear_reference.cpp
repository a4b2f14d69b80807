#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/floats.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::kernels {

Offer linear_reference(const CallSite& site) {
  const Linear settings = *site.op.as<Linear>();
  const std::int64_t out = site.inputs[1].shape[0];
  const std::int64_t in = site.inputs[1].shape[1];
  const std::int64_t count = site.outputs[0].elements();
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const DType x_type = site.inputs[0].dtype;
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const std::byte* x = input_bytes(buffers, constants, 0);
      const float* w = floats(1);
      const float* bias = settings.has_bias ? floats(2) : nullptr;
      const float* residual = settings.has_residual ? floats(settings.residual_input()) : nullptr;
      std::byte* y = buffers.outputs[0];
      return [=] {
        parallel_for(count, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) {
            const float* column = w + at % out * in;
            double sum = bias != nullptr ? static_cast<double>(bias[at % out]) : 0.0;
            for (std::int64_t k = 0; k < in; ++k) sum += operand(settings.compute, load_float(x, x_type, at / out * in + k)) * operand(settings.compute, column[k]);
            sum = activate(settings.activation, sum);
            if (residual != nullptr) sum += static_cast<double>(residual[at]);
            store_float(y, settings.output, at, static_cast<float>(sum));
          }
        });
      };
    }};
  });
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
