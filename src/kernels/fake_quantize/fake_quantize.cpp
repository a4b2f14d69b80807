#include "kernels/fake_quantize/fake_quantize.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace edgelab::kernels {
namespace {

void require_scales(std::string_view op, const TensorType& x, const TensorType& scales) {
  if (scales.shape == Shape{1} || (x.shape.rank() > 0 && scales.shape == Shape{x.shape[0]})) return;
  throw Error(ErrorKind::data, std::string(op) + ": scales that are neither one nor one a channel").got(scales.shape.text()).expected("[1], or the first extent of " + x.shape.text());
}

}  // namespace

std::vector<TensorType> FakeQuantize::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  require_scales(kName, inputs[0], inputs[1]);
  return {{DType::f32, inputs[0].shape}};
}

std::string FakeQuantize::text() const { return fmt::format("{} to {}, zero point {}", low, high, zero_point); }

std::span<const Implementation> FakeQuantize::implementations() {
  static constexpr Implementation list[] = {{"simd", fake_quantize_simd}, {"reference", fake_quantize_reference}};
  return list;
}

std::vector<TensorType> FakeQuantizeBackward::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 3, 3);
  require_scales(kName, inputs[0], inputs[1]);
  require_shape(kName, inputs[2], inputs[0].shape, "the gradient");
  return {{DType::f32, inputs[0].shape}, {DType::f32, inputs[1].shape}};
}

std::span<const Implementation> FakeQuantizeBackward::implementations() {
  static constexpr Implementation list[] = {{"simd", fake_quantize_backward_simd}, {"reference", fake_quantize_backward_reference}};
  return list;
}

}  // namespace edgelab::kernels
