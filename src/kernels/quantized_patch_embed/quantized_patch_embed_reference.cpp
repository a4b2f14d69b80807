#include <cmath>
#include <cstring>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/quantized_linear/integer_reference.hpp"
#include "kernels/quantized_linear/integer_tables.hpp"
#include "kernels/quantized_patch_embed/quantized_patch_embed.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  QuantizedPatchEmbed settings;
  Shape x, w, y;
  std::int64_t prefix = 0;
};

// The pixels of one patch on their grid, [C, P, P].
std::vector<std::uint8_t> patch_of(const Problem& p, const float* image, std::int64_t patch) {
  const std::int64_t side = p.w[2], columns = p.x[3] / side;
  const float* corner = image + patch / columns * side * p.x[3] + patch % columns * side;
  std::vector<std::uint8_t> pixels;
  for (std::int64_t c = 0; c < p.x[1]; ++c) {
    for (std::int64_t u = 0; u < side; ++u) {
      for (std::int64_t v = 0; v < side; ++v) pixels.push_back(p.settings.input.of(corner[(c * p.x[2] + u) * p.x[3] + v]));
    }
  }
  return pixels;
}

}  // namespace

Offer quantized_patch_embed_reference(const CallSite& site) {
  const QuantizedPatchEmbed settings = *site.op.as<QuantizedPatchEmbed>();
  const std::int64_t prefix = settings.layout.prefix_tokens(settings.without_scale(site.inputs));
  const Problem p{settings, site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape, prefix};
  const std::vector<TensorType> types(site.inputs.begin(), site.inputs.end());
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      return [=, pointers = std::vector(buffers.inputs.begin(), buffers.inputs.end()), out = buffers.outputs[0]] {
        std::vector<Tensor> inputs;
        for (std::size_t i = 0; i < types.size(); ++i) {
          inputs.emplace_back(types[i].dtype, types[i].shape, const_cast<std::byte*>(input_bytes({pointers, {}, nullptr}, constants, i)), nullptr);
        }
        const Tensor bias = settings.layout.has_bias ? inputs[QuantizedPatchEmbed::kBias] : Tensor();
        const IntegerTables tables = integer_tables(settings.input, inputs[QuantizedPatchEmbed::kScale], bias, {1.0F});
        const Tensor table = quantized_patch_embed_table(settings, inputs, p.y[1], p.y[2]);
        const auto added = table.as<float>();
        const std::int64_t width = p.y[2], patches = p.y[1] - p.prefix, image = p.x[1] * p.x[2] * p.x[3], k = p.x[1] * p.w[2] * p.w[2];
        const float* images = inputs[0].as<float>().data();
        const std::int8_t* weight = inputs[1].as<std::int8_t>().data();
        auto* y = reinterpret_cast<float*>(out);
        parallel_for(p.x[0], threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t n = begin; n < end; ++n) {
            float* tokens = y + n * p.y[1] * width;
            std::memcpy(tokens, added.data(), static_cast<std::size_t>(p.prefix * width) * sizeof(float));
            for (std::int64_t patch = 0; patch < patches; ++patch) {
              const std::vector<std::uint8_t> pixels = patch_of(p, images + n * image, patch);
              for (std::int64_t o = 0; o < width; ++o) {
                const auto channel = static_cast<std::size_t>(o);
                const std::int32_t sum = integer_product(pixels.data(), settings.input.zero_point, weight + o * k, k) + tables.bias[channel];
                const std::int64_t at = (p.prefix + patch) * width + o;
                tokens[at] = std::fma(static_cast<float>(sum), tables.factor[channel], added[static_cast<std::size_t>(at)]);
              }
            }
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
