#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/patch_embed/patch_embed.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  PatchEmbed settings;
  Shape x, w, y;
  const float *images, *weight, *bias, *position;
  std::vector<const float*> prefix;
  std::vector<std::int64_t> prefix_tokens;
  std::int64_t first_patch;
};

double product(const Problem& p, std::int64_t n, std::int64_t patch, std::int64_t o) {
  const std::int64_t side = p.w[2], columns = p.x[3] / side, top = patch / columns * side, left = patch % columns * side;
  double sum = 0;
  for (std::int64_t c = 0; c < p.x[1]; ++c) {
    for (std::int64_t u = 0; u < side; ++u) {
      for (std::int64_t v = 0; v < side; ++v) {
        const float pixel = p.images[((n * p.x[1] + c) * p.x[2] + top + u) * p.x[3] + left + v];
        sum += operand(p.settings.compute, pixel) * operand(p.settings.compute, p.weight[((o * p.x[1] + c) * side + u) * side + v]);
      }
    }
  }
  return sum;
}

double token_element(const Problem& p, std::int64_t n, std::int64_t t, std::int64_t o) {
  double value = 0;
  if (t < p.first_patch) {
    std::size_t i = 0;
    std::int64_t within = t;
    while (within >= p.prefix_tokens[i]) within -= p.prefix_tokens[i++];
    value = static_cast<double>(p.prefix[i][within * p.y[2] + o]);
  } else {
    value = product(p, n, t - p.first_patch, o) + (p.bias == nullptr ? 0.0 : static_cast<double>(p.bias[o]));
  }
  if (p.settings.positions == PatchEmbed::Positions::all) return value + static_cast<double>(p.position[t * p.y[2] + o]);
  if (p.settings.positions == PatchEmbed::Positions::none || t < p.first_patch) return value;
  return value + static_cast<double>(p.position[(t - p.first_patch) * p.y[2] + o]);
}

}  // namespace

Offer patch_embed_reference(const CallSite& site) {
  const PatchEmbed settings = *site.op.as<PatchEmbed>();
  Problem shapes{settings, site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape, nullptr, nullptr, nullptr, nullptr, {}, {}, settings.prefix_tokens(site.inputs)};
  for (std::size_t i = settings.first_prefix(); i < settings.position_input(); ++i) shapes.prefix_tokens.push_back(site.inputs[i].shape[1]);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      auto problem = std::make_shared<Problem>(shapes);
      problem->images = floats(0);
      problem->weight = floats(1);
      if (settings.has_bias) problem->bias = floats(2);
      for (std::size_t i = settings.first_prefix(); i < settings.position_input(); ++i) problem->prefix.push_back(floats(i));
      if (settings.positions != PatchEmbed::Positions::none) problem->position = floats(settings.position_input());
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const Shape& shape = problem->y;
        parallel_for(shape.elements(), threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) {
            y[at] = static_cast<float>(token_element(*problem, at / shape[2] / shape[1], at / shape[2] % shape[1], at % shape[2]));
          }
        });
      };
    }};
  });
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
