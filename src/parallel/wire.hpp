#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.hpp"
#include "kernels/tensor_type.hpp"

namespace edgelab::parallel {

// The number format in which activations travel. fp32 changes nothing; bf16 and fp16 halve the bytes (fp16 keeps three more bits, and
// gives infinity beyond 65,504); int8 quarters them, with one scale a row: the row's largest magnitude becomes 127.
enum class Wire : std::uint8_t { fp32, bf16, fp16, int8 };

// Bytes of f32 [rows, width] on the wire.
std::size_t wire_bytes(Wire wire, std::int64_t rows, std::int64_t width);

// f32 [rows, width], row-major, to the wire and back. int8: the rows' scales as f32, then the numbers; a row with a NaN or an infinity
// comes out as NaN, so that nothing wrong looks right.
void encode(Wire wire, const float* values, std::int64_t rows, std::int64_t width, std::byte* bytes);
void decode(Wire wire, const std::byte* bytes, std::int64_t rows, std::int64_t width, float* values);

// Tensors of other types (bf16 between kernels, u8 grids) travel as they are.
struct Rows {
  std::int64_t rows = 0, width = 0;
};
// A row of a tensor for int8's scales: the last axis; of maps [N, C, H, W] a channel's plane.
Rows rows_of(const Shape& shape);
std::size_t wire_bytes(Wire wire, const kernels::TensorType& type);  // rounded up, so that floats may follow
void encode(Wire wire, const kernels::TensorType& type, const std::byte* values, std::byte* bytes);
void decode(Wire wire, const kernels::TensorType& type, const std::byte* bytes, std::byte* values);

// Several tensors as one message, one behind the other.
std::size_t message_bytes(Wire wire, std::span<const Tensor> tensors);
std::vector<std::byte> message_of(Wire wire, std::span<const Tensor> tensors);
// Writes the tensors. Throws Error (data) unless the message has just their size: `from`, for people, would not hold the same model.
void take_message(Wire wire, std::span<const std::byte> message, std::span<const Tensor> tensors, int from);

}  // namespace edgelab::parallel
