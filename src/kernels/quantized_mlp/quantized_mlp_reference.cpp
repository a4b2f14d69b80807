#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/quantized_linear/integer_reference.hpp"
#include "kernels/quantized_linear/integer_tables.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  QuantizedMlp settings;
  std::int64_t width = 0, hidden = 0;
  const float *x = nullptr, *gain = nullptr, *shift = nullptr;
  const std::int8_t *up = nullptr, *down = nullptr;
  IntegerTables up_tables, down_tables;
  float* y = nullptr;
};

void compute_row(const Problem& p, std::int64_t row) {
  const auto width = static_cast<std::size_t>(p.width);
  const float* x = p.x + row * p.width;
  std::vector<float> normal(width);
  normalized_row(x, p.gain, p.shift, p.settings.epsilon, p.width, normal.data());
  std::vector<std::uint8_t> rounded, hidden;
  for (const float value : normal) rounded.push_back(p.settings.input.of(value));
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.hidden); ++i) {
    const std::int8_t* w = p.up + static_cast<std::int64_t>(i) * p.width;
    const std::int32_t sum = integer_product(rounded.data(), p.settings.input.zero_point, w, p.width) + p.up_tables.bias[i];
    hidden.push_back(activated_u8(p.settings.activation, static_cast<float>(sum) * p.up_tables.factor[i], p.settings.hidden));
  }
  for (std::size_t i = 0; i < width; ++i) {
    const std::int8_t* w = p.down + static_cast<std::int64_t>(i) * p.hidden;
    const std::int32_t sum = integer_product(hidden.data(), p.settings.hidden.zero_point, w, p.hidden) + p.down_tables.bias[i];
    p.y[row * p.width + static_cast<std::int64_t>(i)] = std::fma(static_cast<float>(sum), p.down_tables.factor[i], x[i]);
  }
}

}  // namespace

Offer quantized_mlp_reference(const CallSite& site) {
  const QuantizedMlp settings = *site.op.as<QuantizedMlp>();
  const std::vector<TensorType> types(site.inputs.begin(), site.inputs.end());
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      return [=, inputs = std::vector(buffers.inputs.begin(), buffers.inputs.end()), y = buffers.outputs[0]] {
        const auto held = [&](std::size_t input) {
          return Tensor(types[input].dtype, types[input].shape, const_cast<std::byte*>(input_bytes({inputs, {}, nullptr}, constants, input)), nullptr);
        };
        const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(held(input).data()); };
        Problem p;
        p.settings = settings;
        p.width = types[QuantizedMlp::kX].shape.back();
        p.hidden = types[QuantizedMlp::kUp].shape[0];
        p.x = floats(QuantizedMlp::kX);
        p.gain = floats(QuantizedMlp::kNormWeight);
        p.shift = floats(QuantizedMlp::kNormBias);
        p.up = reinterpret_cast<const std::int8_t*>(held(QuantizedMlp::kUp).data());
        p.down = reinterpret_cast<const std::int8_t*>(held(QuantizedMlp::kDown).data());
        const float hidden_scale = settings.activation == ActivationKind::gelu ? 1.0F : settings.hidden.scale;
        p.up_tables = integer_tables(settings.input, held(QuantizedMlp::kUpScale), held(QuantizedMlp::kUpBias), {hidden_scale});
        p.down_tables = integer_tables(settings.hidden, held(QuantizedMlp::kDownScale), held(QuantizedMlp::kDownBias), {1.0F});
        p.y = reinterpret_cast<float*>(y);
        parallel_for(types[QuantizedMlp::kX].elements() / p.width, threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) compute_row(p, row);
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
