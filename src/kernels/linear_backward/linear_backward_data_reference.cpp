#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"

namespace edgelab::kernels {

Offer linear_backward_data_reference(const CallSite& site) {
  const LinearBackwardData settings = *site.op.as<LinearBackwardData>();
  const std::int64_t out = site.inputs[1].shape[0], in = site.inputs[1].shape[1], count = site.outputs[0].elements();
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const float *dy = floats(0), *w = floats(1), *z = settings.activation != ActivationKind::none ? floats(2) : nullptr;
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        parallel_for(count, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) {
            double sum = 0.0;
            for (std::int64_t o = 0; o < out; ++o) sum += operand(settings.compute, dy[at / in * out + o]) * operand(settings.compute, w[o * in + at % in]);
            if (z != nullptr) sum *= activation_slope(settings.activation, static_cast<double>(z[at]));
            dx[at] = static_cast<float>(sum);
          }
        });
      };
    }};
  });
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
