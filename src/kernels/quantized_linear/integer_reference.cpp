#include "kernels/quantized_linear/integer_reference.hpp"

#include <algorithm>

#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/vector_math/vector_math.hpp"

namespace edgelab::kernels {

float activated(ActivationKind kind, float f, DType y) {
  if (kind == ActivationKind::relu) return std::max(f, 0.0F);
  if (kind != ActivationKind::gelu) return f;
  const vector_math::Functions functions = vector_math::functions();
  float result = 0;
  (y == DType::f32 ? functions.gelu : functions.gelu_bf16)(&f, &result, 1);
  return result;
}

std::uint8_t activated_u8(ActivationKind kind, float f, const U8Grid& y) {
  const float result = activated(kind, f, DType::u8);
  return tile_gemm::to_u8(y.bounds(), kind == ActivationKind::gelu ? result * y.inverse() : result);
}

void normalized_row(const float* x, const float* weight, const float* bias, double epsilon, std::int64_t width, float* y) {
  LayerNormRows row;
  row.x = x;
  row.weight = weight;
  row.bias = bias;
  row.epsilon = static_cast<float>(epsilon);
  row.y = y;
  row.rows = 1;
  row.width = row.x_ld = row.y_ld = width;
  layer_norm_rows(row);
}

}  // namespace edgelab::kernels
