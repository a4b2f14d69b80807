#include "kernels/binary/binary.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

Shape aligned_shape(const Shape& b, int rank) {
  std::vector<std::int64_t> extents(static_cast<std::size_t>(rank - b.rank()), 1);
  extents.insert(extents.end(), b.extents().begin(), b.extents().end());
  return Shape(std::span<const std::int64_t>(extents));
}

std::vector<TensorType> Binary::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  bool fits = b.rank() <= a.rank();
  for (int axis = 1; fits && axis <= b.rank(); ++axis) {
    const std::int64_t extent = b[b.rank() - axis];
    fits = extent == 1 || extent == a[a.rank() - axis];
  }
  if (!fits) throw Error(ErrorKind::data, "binary: the second operand can't be broadcast onto the first").got(a.text() + " and " + b.text());
  return {inputs[0]};
}

std::int64_t Binary::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const { return outputs[0].elements(); }

std::string Binary::text() const { return kind == Kind::add ? "add" : "multiply"; }

std::span<const Implementation> Binary::implementations() {
  static constexpr Implementation list[] = {{"onednn", binary_onednn}, {"reference", binary_reference}};
  return list;
}

}  // namespace edgelab::kernels
