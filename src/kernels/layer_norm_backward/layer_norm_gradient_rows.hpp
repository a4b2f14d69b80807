#pragma once

#include <cstdint>

// LayerNormBackward row by row on this thread, vectorised for the widest instruction set of the machine (Highway).
namespace edgelab::kernels {

struct LayerNormGradientRows {
  const float *x = nullptr, *dy = nullptr;  // [rows, width]
  const float* addend = nullptr;            // [rows, width], or null
  const float* weight = nullptr;            // [width]
  float* dx = nullptr;                      // [rows, width]
  float *dweight = nullptr, *dbias = nullptr;  // [width], of these rows alone
  float epsilon = 0;
  std::int64_t rows = 0, width = 0;
};

void layer_norm_gradient_rows(const LayerNormGradientRows& rows);

}  // namespace edgelab::kernels
