#include "parallel/wire.hpp"

#include <cstring>
#include <string>

#include "core/error.hpp"
#include "kernels/message/wire_rows.hpp"

namespace edgelab::parallel {
namespace {

template <class T> T* as(std::byte* bytes) { return reinterpret_cast<T*>(bytes); }
template <class T> const T* as(const std::byte* bytes) { return reinterpret_cast<const T*>(bytes); }

void encode_int8(const float* values, std::int64_t rows, std::int64_t width, std::byte* bytes) {
  auto* numbers = as<std::int8_t>(bytes) + rows * static_cast<std::int64_t>(sizeof(float));
  for (std::int64_t r = 0; r < rows; ++r) {
    const float scale = kernels::int8_row(values + r * width, width, numbers + r * width);
    std::memcpy(bytes + r * static_cast<std::int64_t>(sizeof scale), &scale, sizeof scale);
  }
}

void decode_int8(const std::byte* bytes, std::int64_t rows, std::int64_t width, float* values) {
  const auto* numbers = as<std::int8_t>(bytes) + rows * static_cast<std::int64_t>(sizeof(float));
  for (std::int64_t r = 0; r < rows; ++r) {
    float scale = 0.0f;
    std::memcpy(&scale, bytes + r * static_cast<std::int64_t>(sizeof scale), sizeof scale);
    kernels::floats_of_int8(numbers + r * width, width, scale, values + r * width);
  }
}

}  // namespace

std::size_t wire_bytes(Wire wire, std::int64_t rows, std::int64_t width) {
  const auto elements = static_cast<std::size_t>(rows * width);
  switch (wire) {
    case Wire::fp32: return elements * sizeof(float);
    case Wire::bf16:
    case Wire::fp16: return elements * sizeof(std::uint16_t);
    case Wire::int8: return elements + static_cast<std::size_t>(rows) * sizeof(float);
  }
  return 0;
}

void encode(Wire wire, const float* values, std::int64_t rows, std::int64_t width, std::byte* bytes) {
  const std::int64_t elements = rows * width;
  if (elements == 0) return;  // a rank without a share may have no memory for one
  switch (wire) {
    case Wire::fp32: std::memcpy(bytes, values, static_cast<std::size_t>(elements) * sizeof(float)); return;
    case Wire::bf16: kernels::bf16_row(values, elements, as<std::uint16_t>(bytes)); return;
    case Wire::fp16: kernels::f16_row(values, elements, as<std::uint16_t>(bytes)); return;
    case Wire::int8: encode_int8(values, rows, width, bytes); return;
  }
}

void decode(Wire wire, const std::byte* bytes, std::int64_t rows, std::int64_t width, float* values) {
  const std::int64_t elements = rows * width;
  if (elements == 0) return;  // a rank without a share may have no memory for one
  switch (wire) {
    case Wire::fp32: std::memcpy(values, bytes, static_cast<std::size_t>(elements) * sizeof(float)); return;
    case Wire::bf16: kernels::floats_of_bf16(as<std::uint16_t>(bytes), elements, values); return;
    case Wire::fp16: kernels::floats_of_f16(as<std::uint16_t>(bytes), elements, values); return;
    case Wire::int8: decode_int8(bytes, rows, width, values); return;
  }
}

Rows rows_of(const Shape& shape) {
  const std::int64_t elements = shape.elements();
  const std::int64_t width = shape.rank() == 0 ? 1 : shape.rank() == 4 ? shape[2] * shape[3] : shape.back();
  return {width == 0 ? 0 : elements / width, width};
}

std::size_t wire_bytes(Wire wire, const kernels::TensorType& type) {
  const Rows rows = rows_of(type.shape);
  const std::size_t bytes = type.dtype == DType::f32 ? wire_bytes(wire, rows.rows, rows.width) : type.bytes();
  return (bytes + sizeof(float) - 1) / sizeof(float) * sizeof(float);
}

void encode(Wire wire, const kernels::TensorType& type, const std::byte* values, std::byte* bytes) {
  if (type.dtype != DType::f32) {
    if (type.bytes() > 0) std::memcpy(bytes, values, type.bytes());
    return;
  }
  const Rows rows = rows_of(type.shape);
  encode(wire, as<float>(values), rows.rows, rows.width, bytes);
}

void decode(Wire wire, const kernels::TensorType& type, const std::byte* bytes, std::byte* values) {
  if (type.dtype != DType::f32) {
    if (type.bytes() > 0) std::memcpy(values, bytes, type.bytes());
    return;
  }
  const Rows rows = rows_of(type.shape);
  decode(wire, bytes, rows.rows, rows.width, as<float>(values));
}

namespace {

kernels::TensorType type_of(const Tensor& tensor) { return {tensor.dtype(), tensor.shape()}; }

}  // namespace

std::size_t message_bytes(Wire wire, std::span<const Tensor> tensors) {
  std::size_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += wire_bytes(wire, type_of(tensor));
  return bytes;
}

std::vector<std::byte> message_of(Wire wire, std::span<const Tensor> tensors) {
  std::vector<std::byte> message(message_bytes(wire, tensors));
  std::size_t at = 0;
  for (const Tensor& tensor : tensors) {
    encode(wire, type_of(tensor), tensor.data(), message.data() + at);
    at += wire_bytes(wire, type_of(tensor));
  }
  return message;
}

void take_message(Wire wire, std::span<const std::byte> message, std::span<const Tensor> tensors, int from) {
  if (message.size() != message_bytes(wire, tensors)) {
    throw Error(ErrorKind::data, "rank " + std::to_string(from) + " hands on something else than is expected")
        .got(std::to_string(message.size()) + " bytes")
        .expected(std::to_string(message_bytes(wire, tensors)));
  }
  std::size_t at = 0;
  for (Tensor tensor : tensors) {
    decode(wire, type_of(tensor), message.data() + at, tensor.data());
    at += wire_bytes(wire, type_of(tensor));
  }
}

}  // namespace edgelab::parallel
