#include "core/shape.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace edgelab {

Shape::Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::int64_t> extents) {
  if (extents.size() > kMaxRank) {
    throw Error(ErrorKind::data, "a tensor has too many axes").got(std::to_string(extents.size())).expected("at most " + std::to_string(kMaxRank));
  }
  rank_ = static_cast<int>(extents.size());
  std::copy(extents.begin(), extents.end(), extents_.begin());
  if (std::any_of(extents.begin(), extents.end(), [](std::int64_t extent) { return extent < 0; })) {
    throw Error(ErrorKind::data, "a tensor has a negative extent").got(text());
  }
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents()) product *= extent;
  return product;
}

bool Shape::operator==(const Shape& other) const { return std::ranges::equal(extents(), other.extents()); }

std::string Shape::text() const {
  std::string text = "[";
  for (int axis = 0; axis < rank_; ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string((*this)[axis]);
  }
  return text + "]";
}

}  // namespace edgelab
