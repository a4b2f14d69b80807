#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "kernels/conv2d/first_convolution.hpp"
#include "kernels/inverted_residual/dimensions.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"

// An inverted residual prepared for tiles, between inverted_residual_tile.cpp, which prepares it, and the two ways to run
// it. Images are channels last: x [N, H, W, C] (but plain where a first convolution reads it), y [N, Ho, Wo, O].
namespace edgelab::kernels::inverted_residual {

// Byte offsets into the scratch: first what the team shares, then `member_bytes` for each member.
struct ScratchPlan {
  std::size_t shared_bytes = 0, member_bytes = 0;
  std::size_t shared_hidden = 0;                             // channels mode: d of one image that is split by channels
  std::size_t x = 0, expanded = 0, hidden = 0, product = 0, first = 0;  // from the start of a member's own
};

struct Block {
  Dimensions size;
  Mode mode = Mode::rows;
  DType operands = DType::f32;
  std::int64_t group = 1;  // channels mode: images that a member takes at a time
  tile_gemm::TiledProduct expand, project;
  std::optional<FirstConvolution> first;  // in the place of `expand`, in rows mode
  Tensor expand_packed, expand_bias, depthwise, depthwise_bias, project_packed, project_bias;
  ScratchPlan scratch;

  std::size_t operand_size() const { return size_of(operands); }
};

// Memory of one execution.
struct Run {
  const float* x = nullptr;
  float* y = nullptr;
  std::byte* scratch = nullptr;
};

// One member's part of the block; all members of a team call it together.
void run_rows(const Block& block, const Run& run, const Member& member);
void run_channels(const Block& block, const Run& run, const Member& member);

// A member's own scratch, and what lies there.
struct MemberScratch {
  MemberScratch(const Block& block, const Run& run, const Member& member)
      : base(run.scratch + block.scratch.shared_bytes + static_cast<std::size_t>(member.index()) * block.scratch.member_bytes),
        x(reinterpret_cast<std::uint16_t*>(base + block.scratch.x)),
        expanded(reinterpret_cast<float*>(base + block.scratch.expanded)),
        hidden(base + block.scratch.hidden),
        product(base + block.scratch.product),
        first(base + block.scratch.first) {}
  std::byte* base;
  std::uint16_t* x;  // operands of the expansion, if they are bf16
  float* expanded;
  std::byte* hidden;  // operands of the projection
  std::byte *product, *first;  // the products' own
};

// The expansion's operands: the pixels themselves, or rounded into `to`.
const void* operands_of(const Block& block, const float* pixels, std::int64_t count, std::uint16_t* to);

}  // namespace edgelab::kernels::inverted_residual
