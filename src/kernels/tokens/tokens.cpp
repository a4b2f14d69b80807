#include "kernels/tokens/tokens.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> ToTokens::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 4, "the input");
  const Shape& x = inputs[0].shape;
  return {{inputs[0].dtype, {x[0], x[2] * x[3], x[1]}}};
}

std::vector<TensorType> ConcatTokens::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 16);
  TensorType output = inputs.back();
  std::int64_t samples = 1, tokens = 0;
  for (const TensorType& input : inputs) {
    require_rank(kName, input, 3, "an input");
    if (input.shape[2] != output.shape[2]) require_shape(kName, input, output.shape, "an input");
    if (input.shape[0] != 1) {
      if (samples != 1 && samples != input.shape[0]) require_shape(kName, input, output.shape, "an input");
      samples = input.shape[0];
    }
    tokens += input.shape[1];
  }
  output.shape = {samples, tokens, output.shape[2]};
  return {output};
}

std::vector<TensorType> SelectToken::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 3, "the input");
  const Shape& x = inputs[0].shape;
  if (index < 0 || index >= x[1]) {
    throw Error(ErrorKind::data, "select_token: no such token").got(std::to_string(index)).expected("0 to " + std::to_string(x[1] - 1));
  }
  return {{inputs[0].dtype, {x[0], x[2]}}};
}

std::vector<TensorType> FromTokens::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 3, "the input");
  const Shape& x = inputs[0].shape;
  require_shape(kName, inputs[0], {x[0], height * width, x[2]}, "the input");
  return {{inputs[0].dtype, {x[0], x[2], height, width}}};
}

std::vector<TensorType> SliceTokens::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 3, "the input");
  const Shape& x = inputs[0].shape;
  if (begin < 0 || count < 1 || begin + count > x[1]) {
    throw Error(ErrorKind::data, "slice_tokens: no such tokens").got(text()).expected("some of 0 to " + std::to_string(x[1] - 1));
  }
  return {{inputs[0].dtype, {x[0], count, x[2]}}};
}

std::vector<TensorType> PlaceToken::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 2, "the input");
  if (index < 0 || index >= tokens) throw Error(ErrorKind::data, "place_token: no such token").got(text());
  return {{inputs[0].dtype, {inputs[0].shape[0], tokens, inputs[0].shape[1]}}};
}

std::span<const Implementation> ToTokens::implementations() {
  static constexpr Implementation list[] = {{"copy", to_tokens_copy}, {"onednn", to_tokens_onednn}, {"reference", to_tokens_reference}};
  return list;
}

std::span<const Implementation> ConcatTokens::implementations() {
  static constexpr Implementation list[] = {{"copy", concat_tokens_reference}};
  return list;
}

std::span<const Implementation> SelectToken::implementations() {
  static constexpr Implementation list[] = {{"copy", select_token_copy}};
  return list;
}

std::span<const Implementation> FromTokens::implementations() {
  static constexpr Implementation list[] = {{"copy", from_tokens_copy}, {"reference", from_tokens_reference}};
  return list;
}

std::span<const Implementation> SliceTokens::implementations() {
  static constexpr Implementation list[] = {{"copy", slice_tokens_copy}};
  return list;
}

std::span<const Implementation> PlaceToken::implementations() {
  static constexpr Implementation list[] = {{"copy", place_token_copy}};
  return list;
}

}  // namespace edgelab::kernels
