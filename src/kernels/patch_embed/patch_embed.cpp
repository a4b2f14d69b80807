#include "kernels/patch_embed/patch_embed.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::int64_t PatchEmbed::prefix_tokens(std::span<const TensorType> inputs) const {
  std::int64_t tokens = 0;
  for (std::size_t i = first_prefix(); i < position_input(); ++i) tokens += inputs[i].shape[1];
  return tokens;
}

std::vector<TensorType> PatchEmbed::infer(std::span<const TensorType> inputs) const {
  const std::size_t count = position_input() + (positions == Positions::none ? 0 : 1);
  require_inputs(kName, inputs, count, count);
  require_rank(kName, inputs[0], 4, "the input");
  require_rank(kName, inputs[1], 4, "the weight");
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  require_shape(kName, inputs[1], {w[0], x[1], w[2], w[2]}, "the weight");
  if (x[2] < w[2] || x[3] < w[2]) throw Error(ErrorKind::data, "patch_embed: a patch is larger than an image").got(x.text() + ", patch " + std::to_string(w[2]));
  if (has_bias) require_shape(kName, inputs[2], {w[0]}, "the bias");
  for (std::size_t i = first_prefix(); i < position_input(); ++i) {
    require_rank(kName, inputs[i], 3, "a prefix token");
    require_shape(kName, inputs[i], {1, inputs[i].shape[1], w[0]}, "a prefix token");
  }
  const std::int64_t patches = (x[2] / w[2]) * (x[3] / w[2]), tokens = prefix_tokens(inputs) + patches;
  if (positions != Positions::none) require_shape(kName, inputs[position_input()], {1, positions == Positions::all ? tokens : patches, w[0]}, "the position");
  return {{DType::f32, {x[0], tokens, w[0]}}};
}

std::int64_t PatchEmbed::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  const Shape& y = outputs[0].shape;
  const std::int64_t patches = y[1] - prefix_tokens(inputs);
  return 2 * y[0] * patches * inputs[1].elements() + y[0] * patches * y[2];
}

std::string PatchEmbed::text() const {
  std::string text = has_bias ? "bias" : "no bias";
  if (prefix_inputs > 0) text += ", prefix tokens";
  if (positions != Positions::none) text += positions == Positions::all ? ", positions of all tokens" : ", positions of patches";
  if (compute != DType::f32) text += ", " + std::string(edgelab::name_of(compute));
  return text;
}

std::span<const Implementation> PatchEmbed::implementations() {
  static constexpr Implementation list[] = {{"tile", patch_embed_tile}, {"reference", patch_embed_reference}};
  return list;
}

Tensor patch_embed_table(const PatchEmbed& settings, std::span<const Tensor> constants, std::int64_t tokens, std::int64_t width) {
  Tensor table(DType::f32, {tokens, width});
  const auto rows = table.as<float>();
  std::size_t at = 0;
  for (std::size_t i = settings.first_prefix(); i < settings.position_input(); ++i) {
    for (const float value : constants[i].as<float>()) rows[at++] = value;
  }
  const std::size_t first_patch = at;
  if (settings.has_bias) {
    const auto bias = constants[2].as<float>();
    for (std::size_t i = first_patch; i < rows.size(); ++i) rows[i] += bias[(i - first_patch) % bias.size()];
  }
  if (settings.positions == PatchEmbed::Positions::none) return table;
  const auto position = constants[settings.position_input()].as<float>();
  const std::size_t first = settings.positions == PatchEmbed::Positions::all ? 0 : first_patch;
  for (std::size_t i = 0; i < position.size(); ++i) rows[first + i] += position[i];
  return table;
}

}  // namespace edgelab::kernels
