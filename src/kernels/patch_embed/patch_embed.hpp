#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Images cut into squares, each one token (Dosovitskiy et al. 2021), behind the tokens that are the same for every image:
//   y[n, prefix + i·W/P + j, :] = bias + Σ_{c,u,v} weight[:, c, u, v] · x[n, c, i·P+u, j·P+v]      and position added to it
//   y[n, t < prefix, :]         = the prefix tokens in their order                                 (to all rows or to patches)
// Inputs: x [N, C, H, W], weight [D, C, P, P], then bias [D] if has_bias, then prefix_inputs times tokens [1, T_i, D], then
// position [1, H/P·W/P, D] (patches) or [1, prefix + H/P·W/P, D] (all). Output: [N, prefix + H/P·W/P, D].
struct PatchEmbed {
  enum class Positions : std::uint8_t { none, patches, all };
  static constexpr std::string_view kName = "patch_embed";
  bool has_bias = false;
  int prefix_inputs = 0;
  Positions positions = Positions::none;
  DType compute = DType::f32;  // what the product's operands are rounded to; sums stay f32

  std::size_t first_prefix() const { return has_bias ? 3 : 2; }
  std::size_t position_input() const { return first_prefix() + static_cast<std::size_t>(prefix_inputs); }
  std::int64_t prefix_tokens(std::span<const TensorType> inputs) const;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm: a band of patches at a time is copied into rows, multiplied from there. All but x must be known.
Offer patch_embed_tile(const CallSite& site);
Offer patch_embed_reference(const CallSite& site);

// What is added to each row of one image's tokens: [T, D], prefix tokens first. `constants` are the op's inputs.
Tensor patch_embed_table(const PatchEmbed& settings, std::span<const Tensor> constants, std::int64_t tokens, std::int64_t width);

}  // namespace edgelab::kernels
