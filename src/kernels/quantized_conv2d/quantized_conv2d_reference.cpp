#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/quantized_conv2d/quantized_conv2d.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  QuantizedConv2d settings;
  Shape x, w, y;
  bool bytes = true;  // x
};

struct Operands {
  const std::byte* x;
  const std::int8_t* w;
  const float *scale, *bias;
  const std::uint8_t* residual;
  std::byte* y;
};

std::int32_t distance(const Problem& p, const Operands& o, std::int64_t at) {
  const U8Grid& grid = p.settings.input;
  const std::uint8_t x = p.bytes ? reinterpret_cast<const std::uint8_t*>(o.x)[at] : grid.of(reinterpret_cast<const float*>(o.x)[at]);
  return x - grid.zero_point;
}

std::int32_t sum_of(const Problem& p, const Operands& operands, std::int64_t n, std::int64_t o, std::int64_t i, std::int64_t j) {
  const std::int64_t first_channel = o / (p.w[0] / p.settings.groups) * p.w[1];
  std::int32_t sum = 0;
  for (std::int64_t c = 0; c < p.w[1]; ++c) {
    for (std::int64_t u = 0; u < p.w[2]; ++u) {
      const std::int64_t row = i * p.settings.stride + u - p.settings.padding;
      if (row < 0 || row >= p.x[2]) continue;
      for (std::int64_t v = 0; v < p.w[3]; ++v) {
        const std::int64_t column = j * p.settings.stride + v - p.settings.padding;
        if (column < 0 || column >= p.x[3]) continue;
        sum += distance(p, operands, ((n * p.x[1] + first_channel + c) * p.x[2] + row) * p.x[3] + column) *
               operands.w[((o * p.w[1] + c) * p.w[2] + u) * p.w[3] + v];
      }
    }
  }
  return sum;
}

void plane(const Problem& p, const Operands& operands, std::int64_t n, std::int64_t o) {
  const QuantizedConv2d& s = p.settings;
  const double step = static_cast<double>(s.input.scale) * static_cast<double>(operands.scale[o]);
  const double units = std::clamp(std::nearbyint(static_cast<double>(operands.bias[o]) / step), -0x1p30, 0x1p30);
  const auto factor = static_cast<float>(s.output ? step / static_cast<double>(s.output->scale) : step);
  tile_gemm::Requantize grid = s.output ? bounds_of(*s.output, s.activation) : tile_gemm::Requantize();
  if (s.residual) {
    grid.residual_zero_point = s.residual->zero_point;
    grid.residual_scale = static_cast<float>(static_cast<double>(s.residual->scale) / static_cast<double>(s.output->scale));
  }
  for (std::int64_t pixel = 0; pixel < p.y[2] * p.y[3]; ++pixel) {
    const std::int64_t at = (n * p.y[1] + o) * p.y[2] * p.y[3] + pixel;
    const std::int32_t sum = sum_of(p, operands, n, o, pixel / p.y[3], pixel % p.y[3]) + static_cast<std::int32_t>(units);
    float f = static_cast<float>(sum) * factor;
    if (s.residual) f = tile_gemm::add_u8(grid, operands.residual[at], f);
    if (s.output) {
      reinterpret_cast<std::uint8_t*>(operands.y)[at] = tile_gemm::to_u8(grid, f);
    } else {
      reinterpret_cast<float*>(operands.y)[at] = static_cast<float>(activate(s.activation, static_cast<double>(f)));
    }
  }
}

}  // namespace

Offer quantized_conv2d_reference(const CallSite& site) {
  const Problem problem{*site.op.as<QuantizedConv2d>(), site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape, site.inputs[0].dtype == DType::u8};
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto bytes = [&](std::size_t input) { return input_bytes(buffers, constants, input); };
      const Operands operands{bytes(0),
                              reinterpret_cast<const std::int8_t*>(bytes(1)),
                              reinterpret_cast<const float*>(bytes(2)),
                              reinterpret_cast<const float*>(bytes(3)),
                              problem.settings.residual ? reinterpret_cast<const std::uint8_t*>(bytes(4)) : nullptr,
                              buffers.outputs[0]};
      return [=, p = problem, keep = constants] {
        parallel_for(p.y[0] * p.y[1], threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) plane(p, operands, at / p.y[1], at % p.y[1]);
        });
      };
    }};
  });
  offer.effective = DType::s8;
  return offer;
}

}  // namespace edgelab::kernels
