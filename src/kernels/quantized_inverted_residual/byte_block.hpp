#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "kernels/inverted_residual/dimensions.hpp"
#include "kernels/quantized_conv2d/byte_depthwise.hpp"
#include "kernels/quantized_conv2d/byte_product.hpp"
#include "kernels/quantized_conv2d/first_bytes.hpp"

// A quantized inverted residual prepared for tiles, between quantized_inverted_residual_tile.cpp, which prepares it, and the two
// ways to run it, those of kernels/inverted_residual. x [N, H, W, C] u8 (but plain f32 where a first convolution reads it),
// e [N, He, We, E] and d [N, Ho, Wo, E] in the scratch, y [N, Ho, Wo, O] u8.
namespace edgelab::kernels::quantized_inverted_residual {

using inverted_residual::Dimensions;
using inverted_residual::kRing;
using inverted_residual::Mode;

// Byte offsets into the scratch: first d of one image that the team shares, then `member_bytes` for each member.
struct ScratchPlan {
  std::size_t shared_bytes = 0, member_bytes = 0;
  std::size_t expanded = 0, hidden = 0, product = 0, first = 0;  // from the start of a member's own
};

struct Block {
  Dimensions size;
  Mode mode = Mode::rows;
  tile_gemm::TiledProduct expand, project;
  std::optional<FirstBytes> first;  // in the place of `expand`, in rows mode
  BytePack expand_pack, project_pack;
  ByteDepthwiseWeights depthwise;
  tile_gemm::Requantize depthwise_grid;
  Tensor outside;  // a pixel of e's zero point
  ScratchPlan scratch;
};

// Memory of one execution.
struct Run {
  const std::byte* x = nullptr;
  std::uint8_t* y = nullptr;
  std::byte* scratch = nullptr;
};

// A member's own scratch, and what lies there.
struct MemberScratch {
  MemberScratch(const Block& block, const Run& run, const Member& member)
      : base(run.scratch + block.scratch.shared_bytes + static_cast<std::size_t>(member.index()) * block.scratch.member_bytes),
        expanded(reinterpret_cast<std::uint8_t*>(base + block.scratch.expanded)),
        hidden(reinterpret_cast<std::uint8_t*>(base + block.scratch.hidden)),
        product(base + block.scratch.product),
        first(base + block.scratch.first) {}
  std::byte* base;
  std::uint8_t *expanded, *hidden;
  std::byte *product, *first;  // the products' own
};

// One member's part of the block; all members of a team call it together.
void run_rows(const Block& block, const Run& run, const Member& member);
void run_channels(const Block& block, const Run& run, const Member& member);

// What all rows of the depthwise convolution have in common.
ByteDepthwiseRow depthwise_row_of(const Block& block);

}  // namespace edgelab::kernels::quantized_inverted_residual
