#include "kernels/quantized_linear/quantized_linear.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {
namespace {

void require_type(const TensorType& type, DType expected, const std::string& what) {
  if (type.dtype == expected) return;
  throw Error(ErrorKind::data, "quantized_linear: " + what + " has the wrong type")
      .got(std::string(name_of(type.dtype)))
      .expected(std::string(name_of(expected)));
}

}  // namespace

std::vector<TensorType> QuantizedLinear::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, input_count(), input_count());
  const TensorType& w = inputs[weight_input()];
  require_rank(kName, w, 2, "the weight");
  const std::int64_t k = inputs[0].shape.back(), n = w.shape[0];
  require_shape(kName, w, {n, k}, "the weight");
  require_type(w, DType::s8, "the weight");
  if (inputs[0].dtype != DType::u8 || epsilon) require_type(inputs[0], DType::f32, "the input");
  if (epsilon) {
    require_shape(kName, inputs[1], {k}, "the normalisation's weight");
    require_shape(kName, inputs[2], {k}, "the normalisation's bias");
  }
  require_shape(kName, inputs[scale_input()], {n}, "the weight's scale");
  if (has_bias) require_shape(kName, inputs[bias_input()], {n}, "the bias");
  const bool plain = activation == ActivationKind::none && outputs.empty();
  if ((has_residual && !plain) || activation == ActivationKind::relu6 || (!outputs.empty() && n % static_cast<std::int64_t>(outputs.size()) != 0)) {
    throw Error(ErrorKind::data, "quantized_linear: settings that don't go together")
        .got(text())
        .expected("none, relu or gelu; a residual alone; outputs of equal width");
  }
  TensorType y{outputs.empty() ? DType::f32 : DType::u8, inputs[0].shape};
  y.shape[y.shape.rank() - 1] = n;
  if (has_residual) require_shape(kName, inputs[residual_input()], y.shape, "the residual");
  return {y};
}

std::int64_t QuantizedLinear::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs_of) const {
  const std::int64_t k = inputs[0].shape.back(), y = outputs_of[0].elements();
  return 2 * y * k + (has_bias ? y : 0) + (has_residual ? y : 0) + (activation != ActivationKind::none ? y : 0) + (epsilon ? 8 * inputs[0].elements() : 0);
}

std::string QuantizedLinear::text() const {
  std::string text = weight_bits == 4 ? "int4 weight" : "int8";
  if (epsilon) text += ", layer norm";
  if (has_bias) text += ", bias";
  if (has_residual) text += ", residual";
  if (activation != ActivationKind::none) text += ", " + std::string(name_of(activation));
  if (!outputs.empty()) text += ", to u8";
  return text;
}

std::span<const Implementation> QuantizedLinear::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_linear_tile}, {"reference", quantized_linear_reference}};
  return list;
}

}  // namespace edgelab::kernels
