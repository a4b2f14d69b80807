#pragma once

#include <cstdint>

// The part of flash attention between its two products, compiled once for every instruction set.
namespace edgelab::kernels {

// One tile of scores S = Q Kᵀ becomes probabilities relative to each row's running maximum (Milakov and Gimelshein 2018):
//   x = S · factor + bias · log2 e            all in units of log2
//   new maximum = max(maximum, max x);  P = 2^(x − new maximum)
//   sum = sum · 2^(maximum − new maximum) + Σ P,  and the same factor for the output's row where the maximum grew
// A row that has seen nothing but -∞ keeps a maximum of -∞, and P = 0.
struct ScoreTile {
  float* scores = nullptr;  // [rows][ld], P in place; with `narrow` P is bf16, a row beginning where the row of scores did
  std::int64_t ld = 0;
  std::int64_t rows = 0, columns = 0;
  float factor = 1.0f;             // scale · log2 e
  const float* bias = nullptr;     // or null; [rows][bias_ld]
  std::int64_t bias_ld = 0;
  // Of the first row: how many of the columns it sees; each following row sees one more. At least `columns`: no mask.
  std::int64_t visible = 0;
  bool first = false;              // there is no maximum, sum or output yet
  float* maximum = nullptr;        // [rows]
  float* sum = nullptr;            // [rows]
  float* output = nullptr;         // [rows][output_ld], f32
  std::int64_t output_ld = 0, head_width = 0;
  bool narrow = false;
};

// The end of a row: y = output / sum, f32 or bf16.
struct OutputTile {
  const float* output = nullptr;
  std::int64_t output_ld = 0;
  std::int64_t rows = 0, head_width = 0;
  const float* sum = nullptr;
  void* y = nullptr;
  std::int64_t y_ld = 0;
  bool narrow = false;  // y is bf16
};

struct SoftmaxRows {
  void (*probabilities)(const ScoreTile&) = nullptr;
  void (*divide)(const OutputTile&) = nullptr;
};

// Of the widest set that the machine runs (or that a test has allowed).
SoftmaxRows softmax_rows();

}  // namespace edgelab::kernels
