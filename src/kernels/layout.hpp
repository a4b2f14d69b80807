#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/tensor_type.hpp"

namespace edgelab::kernels {

// How the elements of a logical shape lie in memory. Graphs know nothing of it: each kernel states the layouts that it
// reads and writes, and the plan puts a reorder between two kernels that disagree.
class Layout {
 public:
  enum class Kind : std::uint8_t {
    plain,          // row-major over the logical shape
    channels_last,  // logical [N, C, H, W] lying as [N, H, W, C]
    opaque          // a library's own, in the library's own description
  };

  static Layout plain(const TensorType& type) { return {Kind::plain, type.bytes(), {}}; }
  static Layout channels_last(const TensorType& type) { return {Kind::channels_last, type.bytes(), {}}; }
  static Layout opaque(std::vector<std::uint8_t> description, std::size_t bytes) { return {Kind::opaque, bytes, std::move(description)}; }

  Kind kind() const { return kind_; }
  bool is_plain() const { return kind_ == Kind::plain; }
  std::size_t bytes() const { return bytes_; }  // padding included
  const std::vector<std::uint8_t>& description() const { return description_; }

  bool operator==(const Layout&) const = default;

 private:
  Layout(Kind kind, std::size_t bytes, std::vector<std::uint8_t> description)
      : kind_(kind), bytes_(bytes), description_(std::move(description)) {}

  Kind kind_;
  std::size_t bytes_;
  std::vector<std::uint8_t> description_;
};

}  // namespace edgelab::kernels
