#pragma once

#include <cstdint>

#include "kernels/activation/activation.hpp"

// What the device's kernels are called with: plain numbers and pointers to device memory, the same for the kernels themselves, for
// the host's emulation of them (block.hpp) and for tests. Images are channels last here, [N, H, W, C].
namespace edgelab::kernels::cuda {

enum class Element : std::uint8_t { f32, bf16 };
// What products are computed in: fp32 by the ordinary units; operands rounded to tf32 or bf16 by tensor cores. Sums are always fp32.
enum class Multiply : std::uint8_t { f32, tf32, bf16 };

struct ConstValues {
  const void* data = nullptr;
  Element type = Element::f32;
};
struct Values {
  void* data = nullptr;
  Element type = Element::f32;
};

// Where row m of a product lies in a matrix: groups of rows that follow one another, one group every `stride` rows.
struct RowMap {
  std::int64_t group = INT64_MAX, stride = 0, first = 0;
};

// y[row(m), n] = activation(Σ_k x[m, k] · w[n, k] + bias[n]) + residual[row'(m), n]
struct ProductArguments {
  std::int64_t m = 0, n = 0, k = 0;
  ConstValues x;                    // [m, k]
  const void* w = nullptr;          // [n, k]: bf16 if multiply is bf16, else f32
  const float* bias = nullptr;      // [n], or null
  const float* residual = nullptr;  // [rows, n], or null
  Values y;                         // [rows, n]
  RowMap y_rows, residual_rows;
  ActivationKind activation = ActivationKind::none;
  Multiply multiply = Multiply::f32;
};

// Any convolution, as written, in fp32: for layers too small or odd for the others. x: [N, H, W, C], or [N, C, H, W] if `planes`;
// w [C / groups · KH · KW, O], in the order (c, u, v); y [N, OH, OW, O].
struct DirectConvolutionArguments {
  std::int64_t samples = 0, channels = 0, height = 0, width = 0, outputs = 0, kernel_height = 0, kernel_width = 0;
  std::int64_t stride = 1, padding = 0, groups = 1, out_height = 0, out_width = 0;
  const float* x = nullptr;
  const float* w = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;
  float* y = nullptr;
  ActivationKind activation = ActivationKind::none;
  bool planes = false;
};

// Depthwise, square kernel, in fp32. x [N, H, W, C], w [K · K, C], y [N, OH, OW, C].
struct DepthwiseArguments {
  std::int64_t samples = 0, channels = 0, height = 0, width = 0, out_height = 0, out_width = 0;
  int kernel = 3, stride = 1, padding = 1;
  const float* x = nullptr;
  const float* w = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;
  float* y = nullptr;
  ActivationKind activation = ActivationKind::none;
};

// Over the last axis of x [rows, width].
struct LayerNormArguments {
  std::int64_t rows = 0, width = 0;
  float epsilon = 0;
  const float* x = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  Values y;
};

// softmax(Q Kᵀ · scale) V of each head, tile by tile, for `queries` tokens from the first query on. qkv [N, T, 3, heads, d];
// y [N, queries, heads, d]; log_sum_exp [N, heads, queries] or null.
struct AttentionArguments {
  std::int64_t samples = 0, tokens = 0, heads = 0, head_width = 0;
  std::int64_t first_query = 0, queries = 0;
  float scale = 1;
  bool causal = false;
  ConstValues qkv;
  Values y;
  float* log_sum_exp = nullptr;
  Multiply multiply = Multiply::f32;
};

// y[i] = activation(a[i] ⊕ b[j] + c[j]), j = i / b_step % b_elements; without b or c where they are null.
struct ElementwiseArguments {
  std::int64_t elements = 0, b_elements = 1, b_step = 1;
  bool multiply = false;  // ⊕
  ConstValues a;
  const float* b = nullptr;
  const float* c = nullptr;
  Values y;
  ActivationKind activation = ActivationKind::none;
};

// Patches of x [N, C, H, W] as rows of y [N · H/P · W/P, C · P · P], each in the order (c, u, v).
struct PatchRowsArguments {
  std::int64_t samples = 0, channels = 0, height = 0, width = 0, patch = 1;
  const float* x = nullptr;
  Values y;
};

// y[outer, inner] = x[outer, inner], elements of `bytes` (2 or 4); strides in elements, 0 where x repeats.
struct RowCopyArguments {
  std::int64_t outer = 0, inner = 0, x_stride = 0, y_stride = 0;
  int bytes = 4;
  const void* x = nullptr;
  void* y = nullptr;
};

// y [N, C], the means of x [N, pixels, C].
struct AveragePoolArguments {
  std::int64_t samples = 0, pixels = 0, channels = 0;
  const float* x = nullptr;
  float* y = nullptr;
};

// y[b, j, i] = x[b, i, j]; elements of `bytes` (2 or 4).
struct TransposeArguments {
  std::int64_t batch = 0, rows = 0, columns = 0;
  int bytes = 4;
  const void* x = nullptr;
  void* y = nullptr;
};

}  // namespace edgelab::kernels::cuda
