#pragma once

#include <cstdint>

// Rows of f32 in the wire's number formats, by vectors: what a rank converts it would rather compute.
namespace edgelab::kernels {

// Returns the scale, |largest| / 127; NaN where a number isn't finite. The numbers are round(x / scale), ties to even.
float int8_row(const float* x, std::int64_t count, std::int8_t* y);
void floats_of_int8(const std::int8_t* x, std::int64_t count, float scale, float* y);

// Rounded to nearest even; NaN stays NaN.
void bf16_row(const float* x, std::int64_t count, std::uint16_t* y);
void floats_of_bf16(const std::uint16_t* x, std::int64_t count, float* y);

// The same to IEEE binary16; what is too large becomes infinity.
void f16_row(const float* x, std::int64_t count, std::uint16_t* y);
void floats_of_f16(const std::uint16_t* x, std::int64_t count, float* y);

}  // namespace edgelab::kernels
