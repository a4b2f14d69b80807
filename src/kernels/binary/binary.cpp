#include "kernels/binary/binary.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

Shape aligned_shape(const Shape& b, int rank) {
  std::vector<std::int64_t> extents(static_cast<std::size_t>(rank - b.rank()), 1);
  extents.insert(extents.end(), b.extents().begin(), b.extents().end());
  return Shape(std::span<const std::int64_t>(extents));
}

bool broadcasts(const Shape& b, const Shape& a) {
  if (b.rank() > a.rank()) return false;
  for (int axis = 1; axis <= b.rank(); ++axis) {
    const std::int64_t extent = b[b.rank() - axis];
    if (extent != 1 && extent != a[a.rank() - axis]) return false;
  }
  return true;
}

BroadcastIndex::BroadcastIndex(const Shape& b, const Shape& a) : shape_(a), strides_(a) {
  const Shape aligned = aligned_shape(b, a.rank());
  std::int64_t step = 1;
  for (int axis = a.rank() - 1; axis >= 0; --axis) {
    strides_[axis] = aligned[axis] == 1 ? 0 : step;
    step *= aligned[axis];
  }
}

std::vector<TensorType> Binary::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  if (!broadcasts(b, a)) throw Error(ErrorKind::data, "binary: the second operand can't be broadcast onto the first").got(a.text() + " and " + b.text());
  return {inputs[0]};
}

std::int64_t Binary::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const { return outputs[0].elements(); }

std::string Binary::text() const { return kind == Kind::add ? "add" : "multiply"; }

std::span<const Implementation> Binary::implementations() {
  static constexpr Implementation list[] = {{"team", binary_team}, {"onednn", binary_onednn}, {"reference", binary_reference}};
  return list;
}

}  // namespace edgelab::kernels
