#pragma once

#include <cstdint>

// exp, erf, GELU and softmax on whole vectors. Kernels that are compiled for every instruction set include
// vector_math-inl.hpp and inline them; others, tests and benchmarks use the table below.
namespace edgelab::kernels::vector_math {

// f32: for results that stay f32. bf16: for results that are rounded to bf16 (relative error 2^-9) right after; about half
// the instructions.
enum class Grade : std::uint8_t { f32, bf16 };

// Largest errors, each proved by a test over a dense sweep on every instruction set that the machine runs.
inline constexpr double kExpUlp = 2.0;                // in units of the last place of the exact result
inline constexpr double kExp2Ulp = 3.0;               // of exp2_nonpositive from -125 to 0; below, 0
inline constexpr double kExp2Bf16Relative = 1e-4;     // the same in grade bf16
inline constexpr double kErfError = 8e-7;             // absolute
inline constexpr double kGeluError = 2e-7;            // absolute, or relative above 1
inline constexpr double kGeluBf16Error = 2e-4;        // the same in grade bf16
inline constexpr double kSoftmaxError = 1e-6;         // absolute

// One instruction set's functions: `count` numbers from x to y, which may be the same.
struct Functions {
  using Map = void (*)(const float* x, float* y, std::int64_t count);
  Map exp = nullptr;
  Map exp2_nonpositive = nullptr, exp2_nonpositive_bf16 = nullptr;  // 2^x for x ≤ 0
  Map erf = nullptr;
  Map gelu = nullptr, gelu_bf16 = nullptr;  // the exact one, by erf
  // y = softmax(x · scale) over one row; count ≥ 1
  void (*softmax)(const float* x, float* y, std::int64_t count, float scale) = nullptr;
  std::int64_t lanes = 0;  // f32 in a vector
};

// Of the widest set that the machine runs (or that a test has allowed).
Functions functions();

}  // namespace edgelab::kernels::vector_math
