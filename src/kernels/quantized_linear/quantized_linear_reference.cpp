#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/quantized_linear/integer_reference.hpp"
#include "kernels/quantized_linear/integer_tables.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  QuantizedLinear settings;
  std::int64_t k = 0, n = 0;
  IntegerTables tables;
  const std::byte* x = nullptr;  // f32, or u8 if `bytes`
  bool bytes = false;
  const float *gain = nullptr, *shift = nullptr, *residual = nullptr;
  const std::int8_t* w = nullptr;
  std::byte* y = nullptr;
};

// A row of x on its grid.
std::vector<std::uint8_t> quantized_row(const Problem& p, std::int64_t row) {
  if (p.bytes) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(p.x) + row * p.k;
    return {bytes, bytes + p.k};
  }
  const auto* x = reinterpret_cast<const float*>(p.x) + row * p.k;
  std::vector<float> values(x, x + p.k);
  if (p.settings.epsilon) normalized_row(x, p.gain, p.shift, *p.settings.epsilon, p.k, values.data());
  std::vector<std::uint8_t> quantized;
  for (const float value : values) quantized.push_back(p.settings.input.of(value));
  return quantized;
}

void compute_row(const Problem& p, std::int64_t row) {
  const std::vector<std::uint8_t> x = quantized_row(p, row);
  for (std::int64_t o = 0; o < p.n; ++o) {
    const auto at = row * p.n + o;
    const std::int32_t sum = integer_product(x.data(), p.settings.input.zero_point, p.w + o * p.k, p.k) + p.tables.bias[static_cast<std::size_t>(o)];
    const float f = std::fma(static_cast<float>(sum), p.tables.factor[static_cast<std::size_t>(o)], p.residual == nullptr ? 0.0F : p.residual[at]);
    if (p.settings.outputs.empty()) {
      reinterpret_cast<float*>(p.y)[at] = activated(p.settings.activation, f, DType::f32);
    } else {
      const auto part = static_cast<std::size_t>(o * static_cast<std::int64_t>(p.settings.outputs.size()) / p.n);
      reinterpret_cast<std::uint8_t*>(p.y)[at] = activated_u8(p.settings.activation, f, p.settings.outputs[part]);
    }
  }
}

Tensor held(const Buffers& buffers, const std::vector<Tensor>& constants, std::span<const TensorType> types, std::size_t input) {
  auto* data = const_cast<std::byte*>(input_bytes(buffers, constants, input));
  return {types[input].dtype, types[input].shape, data, nullptr};
}

}  // namespace

Offer quantized_linear_reference(const CallSite& site) {
  const QuantizedLinear settings = *site.op.as<QuantizedLinear>();
  const std::int64_t k = site.inputs[0].shape.back(), n = site.inputs[settings.weight_input()].shape[0], rows = site.inputs[0].elements() / k;
  const std::vector<TensorType> types(site.inputs.begin(), site.inputs.end());
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      return [=, inputs = std::vector(buffers.inputs.begin(), buffers.inputs.end()), y = buffers.outputs[0]] {
        const Buffers bound{inputs, {}, nullptr};
        const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(bound, constants, input)); };
        std::vector<float> scales;
        for (const U8Grid& grid : settings.outputs) scales.push_back(settings.activation == ActivationKind::gelu ? 1.0F : grid.scale);
        if (scales.empty()) scales.push_back(1.0F);
        const Tensor bias = settings.has_bias ? held(bound, constants, types, settings.bias_input()) : Tensor();
        Problem p{settings, k, n, integer_tables(settings.input, held(bound, constants, types, settings.scale_input()), bias, scales)};
        p.x = input_bytes(bound, constants, 0);
        p.bytes = types[0].dtype == DType::u8;
        if (settings.epsilon) p.gain = floats(1), p.shift = floats(2);
        if (settings.has_residual) p.residual = floats(settings.residual_input());
        p.w = reinterpret_cast<const std::int8_t*>(input_bytes(bound, constants, settings.weight_input()));
        p.y = y;
        parallel_for(rows, threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) compute_row(p, row);
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
