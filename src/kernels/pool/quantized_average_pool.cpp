#include "kernels/pool/quantized_average_pool.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "kernels/quantize/byte_rows.hpp"

namespace edgelab::kernels {

std::vector<TensorType> QuantizedAveragePool::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 4, "the input");
  if (inputs[0].dtype != DType::u8) throw Error(ErrorKind::data, "quantized_average_pool: images of another type than uint8");
  return {{DType::f32, {inputs[0].shape[0], inputs[0].shape[1]}}};
}

std::span<const Implementation> QuantizedAveragePool::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_average_pool_tile}, {"reference", quantized_average_pool_reference}};
  return list;
}

Offer quantized_average_pool_tile(const CallSite& site) {
  const QuantizedAveragePool settings = *site.op.as<QuantizedAveragePool>();
  const Shape shape = site.inputs[0].shape;
  if (site.constant(0)) return Offer::refuse("images that are constant");
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const std::uint8_t*>(buffers.inputs[0]);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=](const Member& member) {
        constexpr std::int64_t kChannels = 64;  // at a time
        const std::int64_t channels = shape[1], pixels = shape[2] * shape[3], blocks = (channels + kChannels - 1) / kChannels;
        const float factor = settings.factor(pixels);
        const auto zero_points = static_cast<std::int32_t>(pixels) * settings.input.zero_point;
        std::array<std::int32_t, kChannels> sums;
        const Member::Part part = member.part(shape[0] * blocks);
        for (std::int64_t at = part.begin; at < part.end; ++at) {
          const std::int64_t image = at / blocks, first = at % blocks * kChannels, count = std::min(kChannels, channels - first);
          sum_pixels(x + image * pixels * channels + first, pixels, channels, count, sums.data());
          for (std::int64_t c = 0; c < count; ++c) y[image * channels + first + c] = static_cast<float>(sums[static_cast<std::size_t>(c)] - zero_points) * factor;
        }
      };
    }};
  });
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  return offer;
}

Offer quantized_average_pool_reference(const CallSite& site) {
  const QuantizedAveragePool settings = *site.op.as<QuantizedAveragePool>();
  const Shape shape = site.inputs[0].shape;
  return plain_offer(site, [=, constant = site.constants[0]] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const std::uint8_t*>(input_bytes(buffers, {&constant, 1}, 0));
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, keep = constant] {
        const std::int64_t pixels = shape[2] * shape[3];
        for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
          std::int32_t sum = 0;
          for (std::int64_t at = 0; at < pixels; ++at) sum += x[plane * pixels + at] - settings.input.zero_point;
          y[plane] = static_cast<float>(sum) * settings.factor(pixels);
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels
