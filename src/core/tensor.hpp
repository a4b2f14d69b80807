#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/dtype.hpp"
#include "core/shape.hpp"

namespace edgelab {

// Where a tensor's bytes live. Kernels of a backend accept only their own spaces.
enum class MemorySpace : std::uint8_t { host, cuda };

// Host memory aligned for every vector unit and for whole cache lines.
inline constexpr std::size_t kAlignment = 64;

// A dense row-major block of elements. Copies share the bytes (like a shared_ptr); clone() does not.
class Tensor {
 public:
  Tensor() = default;
  // Zeroed host memory, owned.
  Tensor(DType dtype, Shape shape);
  // A view of bytes that `owner` keeps alive (a mapped file, an arena). `data` need not be aligned.
  Tensor(DType dtype, Shape shape, std::byte* data, std::shared_ptr<const void> owner, MemorySpace space = MemorySpace::host);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  MemorySpace space() const { return space_; }
  std::int64_t elements() const { return shape_.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype_); }
  bool defined() const { return data_ != nullptr; }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }

  // The elements as T. Throws Error if T is not the element type or the bytes are not on the host.
  template <class T> std::span<T> as();
  template <class T> std::span<const T> as() const;

  Tensor clone() const;
  // The same bytes with another shape of as many elements; throws Error otherwise.
  Tensor reshaped(Shape shape) const;
  // A new f32 tensor with the same values (f32, f16, bf16, and the integer types).
  Tensor to_f32() const;

 private:
  void require(DType wanted) const;

  DType dtype_ = DType::f32;
  MemorySpace space_ = MemorySpace::host;
  Shape shape_;
  std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

// Zeroed, kAlignment-aligned host memory.
std::shared_ptr<std::byte> allocate_aligned(std::size_t bytes);

template <class T> struct dtype_of;
template <> struct dtype_of<float> { static constexpr DType value = DType::f32; };
template <> struct dtype_of<std::int8_t> { static constexpr DType value = DType::s8; };
template <> struct dtype_of<std::uint8_t> { static constexpr DType value = DType::u8; };
template <> struct dtype_of<std::int32_t> { static constexpr DType value = DType::s32; };
template <> struct dtype_of<std::int64_t> { static constexpr DType value = DType::s64; };

template <class T> std::span<T> Tensor::as() {
  require(dtype_of<T>::value);
  return {reinterpret_cast<T*>(data_), static_cast<std::size_t>(elements())};
}

template <class T> std::span<const T> Tensor::as() const {
  require(dtype_of<T>::value);
  return {reinterpret_cast<const T*>(data_), static_cast<std::size_t>(elements())};
}

}  // namespace edgelab
