#include "kernels/sum_to/sum_to.hpp"

#include "core/error.hpp"
#include "kernels/binary/binary.hpp"

namespace edgelab::kernels {

std::vector<TensorType> SumTo::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  if (!broadcasts(shape, x)) throw Error(ErrorKind::data, "sum_to: the shape can't be broadcast onto the input's").got(x.text() + " to " + shape.text());
  return {{DType::f32, shape}};
}

std::int64_t SumTo::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return inputs[0].elements(); }

std::string SumTo::text() const { return "to " + shape.text(); }

std::span<const Implementation> SumTo::implementations() {
  static constexpr Implementation list[] = {{"team", sum_to_team}, {"reference", sum_to_reference}};
  return list;
}

}  // namespace edgelab::kernels
