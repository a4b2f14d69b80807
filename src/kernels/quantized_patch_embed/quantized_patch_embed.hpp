#pragma once

#include "kernels/op.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// PatchEmbed whose product is of integers; positions are added, and tokens put in front, in f32:
//   sum[p, o] = bias'[o] + Σ_i (q(x)[p, i] − input.zero_point) · w[o, i]          exactly, i over channels and the patch's pixels
//   y[n, prefix + p, o] = fma(f32(sum), factor[o], position[p, o])                bias' and factor: integer_tables.hpp
// Inputs: x f32 [N, C, H, W], weight s8 [D, C, P, P], its scale f32 [D], then bias [D], prefix tokens and positions as `layout` says.
struct QuantizedPatchEmbed {
  static constexpr std::string_view kName = "quantized_patch_embed";
  static constexpr DType compute = DType::s8;
  PatchEmbed layout;
  U8Grid input;
  int weight_bits = 8;  // or 4

  static constexpr std::size_t kScale = 2;
  static constexpr std::size_t kBias = 3;
  // The inputs as PatchEmbed has them.
  template <class T> std::vector<T> without_scale(std::span<const T> inputs) const {
    std::vector<T> plain(inputs.begin(), inputs.end());
    plain.erase(plain.begin() + kScale);
    return plain;
  }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm: a band of patches at a time is brought onto the grid. All but x must be known.
Offer quantized_patch_embed_tile(const CallSite& site);
Offer quantized_patch_embed_reference(const CallSite& site);

// What is added to the sums of one image's tokens, [T, D], the prefix tokens first. `constants` are the op's inputs.
Tensor quantized_patch_embed_table(const QuantizedPatchEmbed& settings, std::span<const Tensor> constants, std::int64_t tokens, std::int64_t width);

}  // namespace edgelab::kernels
