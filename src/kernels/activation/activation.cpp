#include "kernels/activation/activation.hpp"

namespace edgelab::kernels {

std::string_view name_of(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::none: return "none";
    case ActivationKind::relu: return "relu";
    case ActivationKind::relu6: return "relu6";
    case ActivationKind::gelu: return "gelu";
  }
  return "?";
}

std::vector<TensorType> Activation::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  return {{output == DType::f32 ? inputs[0].dtype : output, inputs[0].shape}};
}

std::int64_t Activation::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const { return outputs[0].elements(); }

std::string Activation::text() const {
  const std::string text(name_of(kind));
  return output == DType::f32 ? text : text + ", to " + std::string(name_of(output));
}

std::span<const Implementation> Activation::implementations() {
  static constexpr Implementation list[] = {{"simd", activation_simd}, {"onednn", activation_onednn}, {"reference", activation_reference}};
  return list;
}

}  // namespace edgelab::kernels
