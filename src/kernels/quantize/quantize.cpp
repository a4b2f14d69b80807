#include "kernels/quantize/quantize.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {
namespace {

std::vector<TensorType> converted(std::string_view op, std::span<const TensorType> inputs, DType from, DType to) {
  require_inputs(op, inputs, 1, 1);
  if (inputs[0].dtype != from) {
    throw Error(ErrorKind::data, std::string(op) + ": an input of the wrong type").got(std::string(name_of(inputs[0].dtype))).expected(std::string(name_of(from)));
  }
  return {{to, inputs[0].shape}};
}

std::string described(const U8Grid& grid) { return "scale " + std::to_string(grid.scale) + ", zero point " + std::to_string(grid.zero_point); }

}  // namespace

std::vector<TensorType> Quantize::infer(std::span<const TensorType> inputs) const { return converted(kName, inputs, DType::f32, DType::u8); }
std::string Quantize::text() const { return described(grid); }
std::span<const Implementation> Quantize::implementations() {
  static constexpr Implementation list[] = {{"simd", quantize_simd}, {"reference", quantize_reference}};
  return list;
}

std::vector<TensorType> Dequantize::infer(std::span<const TensorType> inputs) const { return converted(kName, inputs, DType::u8, DType::f32); }
std::string Dequantize::text() const { return described(grid); }
std::span<const Implementation> Dequantize::implementations() {
  static constexpr Implementation list[] = {{"simd", dequantize_simd}, {"reference", dequantize_reference}};
  return list;
}

}  // namespace edgelab::kernels
