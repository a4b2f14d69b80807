#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "kernels/quantized_conv2d/byte_depthwise.hpp"
#include "kernels/quantized_conv2d/byte_product.hpp"
#include "kernels/quantized_conv2d/first_bytes.hpp"

// A quantized inverted residual prepared for tiles, between quantized_inverted_residual_tile.cpp, which prepares it, and the two
// ways to run it, those of kernels/inverted_residual. x [N, H, W, C] u8 (but plain f32 where a first convolution reads it),
// e [N, He, We, E] and d [N, Ho, Wo, E] in the scratch, y [N, Ho, Wo, O] u8.
namespace edgelab::kernels::quantized_inverted_residual {

// Expanded rows that are kept in the rows mode: those that one output row reads.
constexpr std::int64_t kRing = 3;

enum class Mode : std::uint8_t {
  rows,     // each member takes output rows; three expanded rows at a time are kept
  channels  // each member takes images, or some of the hidden channels of one image
};

// height × width is the size of e.
struct Dimensions {
  std::int64_t batch = 0, height = 0, width = 0, height_out = 0, width_out = 0, image = 0;
  std::int64_t channels = 0, hidden = 0, channels_out = 0;
  int stride = 1;
  bool expand = true, residual = false;

  std::int64_t pixels() const { return height * width; }
  std::int64_t pixels_out() const { return height_out * width_out; }
};

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
