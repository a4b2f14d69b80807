#include "kernels/attention/attention.hpp"

#include <cmath>

#include "core/error.hpp"

namespace edgelab::kernels {

double Attention::effective_scale(std::int64_t width) const {
  return scale != 0.0 ? scale : 1.0 / std::sqrt(static_cast<double>(width) / heads);
}

std::vector<TensorType> Attention::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 3, "the input");
  const Shape& qkv = inputs[0].shape;
  if (heads < 1 || qkv[2] % (3 * heads) != 0) {
    throw Error(ErrorKind::data, "attention: the width can't be split into queries, keys and values of that many heads")
        .got("width " + std::to_string(qkv[2]) + ", heads " + std::to_string(heads))
        .expected("a multiple of 3 x heads");
  }
  return {{inputs[0].dtype, {qkv[0], qkv[1], qkv[2] / 3}}};
}

std::int64_t Attention::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const {
  const Shape& y = outputs[0].shape;
  return 4 * y[0] * y[1] * y[1] * y[2] + 5 * y[0] * heads * y[1] * y[1];  // two products, and the softmax
}

std::string Attention::text() const { return std::to_string(heads) + " heads"; }

std::span<const Implementation> Attention::implementations() {
  static constexpr Implementation list[] = {{"onednn", attention_onednn}, {"reference", attention_reference}};
  return list;
}

}  // namespace edgelab::kernels
