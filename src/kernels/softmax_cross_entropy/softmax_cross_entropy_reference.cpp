#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"

namespace edgelab::kernels {
namespace {

float differentiate_row(const float* logits, const float* targets, float* gradient, std::int64_t classes, double temperature) {
  const double highest = static_cast<double>(*std::max_element(logits, logits + classes)) / temperature;
  double total = 0.0, powers = 0.0, loss = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) total += static_cast<double>(targets[c]);
  if (total == 0.0) {
    std::fill_n(gradient, classes, 0.0f);
    return 0.0f;
  }
  for (std::int64_t c = 0; c < classes; ++c) powers += std::exp(static_cast<double>(logits[c]) / temperature - highest);
  for (std::int64_t c = 0; c < classes; ++c) {
    const double logarithm = static_cast<double>(logits[c]) / temperature - highest - std::log(powers);
    if (targets[c] != 0.0f) loss -= static_cast<double>(targets[c]) * logarithm;
    gradient[c] = static_cast<float>((total * std::exp(logarithm) - static_cast<double>(targets[c])) / temperature);
  }
  return static_cast<float>(loss);
}

}  // namespace

Offer softmax_cross_entropy_reference(const CallSite& site) {
  const double temperature = site.op.as<SoftmaxCrossEntropy>()->temperature;
  const std::int64_t samples = site.inputs[0].shape[0], classes = site.inputs[0].shape[1];
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* logits = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* targets = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* loss = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* gradient = reinterpret_cast<float*>(buffers.outputs[1]);
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(samples);
        for (std::int64_t n = part.begin; n < part.end; ++n) {
          const std::int64_t first = n * classes;
          loss[n] = differentiate_row(logits + first, targets + first, gradient + first, classes, temperature);
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels
