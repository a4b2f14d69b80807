#include <algorithm>
#include <memory>

#include "kernels/aligned.hpp"
#include "kernels/conv2d/depthwise_row.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/inverted_residual/tile_block.hpp"
#include "kernels/tile_gemm/simd.hpp"

namespace edgelab::kernels {
namespace inverted_residual {

const void* operands_of(const Block& block, const float* pixels, std::int64_t count, std::uint16_t* to) {
  if (block.operands == DType::f32) return pixels;
  tile_gemm::best_simd_target().round(pixels, to, count);
  return to;
}

namespace {

// Output pixels of an image up to which the channels mode is the faster one: at 14×14 and below, on Zen 4.
constexpr std::int64_t kMostPixelsByChannels = 14 * 14;
// Of d in the channels mode, when a member takes several images: half of an L2 of 1 MiB.
constexpr std::int64_t kMostHiddenBytes = 512 << 10;

Dimensions dimensions_of(const CallSite& site, const InvertedResidual& settings) {
  const Shape& x = site.inputs[0].shape;
  const Shape& y = site.outputs[0].shape;
  const Shape kernel = settings.expand ? site.inputs[1].shape : Shape{1, 1, 1, 1};
  const std::int64_t height = settings.expanded_extent(x[2], kernel[2]), width = settings.expanded_extent(x[3], kernel[3]);
  return {x[0], height, width, y[2], y[3], x[1] * x[2] * x[3], x[1], site.inputs[settings.depthwise_input()].shape[0], y[1], settings.stride, settings.expand,
          settings.has_residual};
}

// Hidden channels at a time, so that members get equal shares: as wide as the register tile, or narrower if that leaves
// less work to the busiest.
std::int64_t chunk_of(const Dimensions& size, int threads) {
  std::int64_t best = 64, least = 0;
  for (const std::int64_t chunk : {64, 48, 32}) {
    const std::int64_t chunks = (size.hidden + chunk - 1) / chunk;
    const std::int64_t share = size.batch >= threads ? size.hidden : (chunks + threads - 1) / threads * chunk;
    if (least == 0 || share < least) best = chunk, least = share;
  }
  return best;
}

tile_gemm::Settings product(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t ldc, DType operands) {
  tile_gemm::Settings settings;
  settings.m = m, settings.n = n, settings.k = settings.lda = k, settings.ldc = ldc;
  settings.a = settings.b = operands;
  settings.epilogue.bias = true;
  return settings;
}

// The cut of the projection. A member that takes rows reads all weights, one that takes columns reads all of d.
void plan_projection(Block& block, int threads, const Machine& machine) {
  const Dimensions& size = block.size;
  const bool by_rows = block.mode == Mode::rows;
  const std::int64_t rows = by_rows ? size.width_out : size.pixels_out();
  tile_gemm::Settings settings = product(rows, size.channels_out, size.hidden, size.channels_out, block.operands);
  settings.epilogue.residual = size.residual;
  settings.epilogue.residual_ld = size.residual ? size.channels_out : 0;
  std::int64_t block_rows = rows, block_columns = size.channels_out;
  if (!by_rows && size.batch % threads != 0) {
    if (size.channels_out > rows) {
      block_columns = tile_gemm::equal_blocks(block_columns, threads, 16).size;
    } else {
      block_rows = tile_gemm::equal_blocks(rows, threads).size;
    }
  }
  block.project = tile_gemm::TiledProduct(settings, block_rows, block_columns, machine);
}

void plan_expansion(Block& block, const CallSite& site) {
  const Dimensions& size = block.size;
  const bool by_rows = block.mode == Mode::rows;
  const std::int64_t rows = by_rows ? size.width : size.pixels();
  const std::int64_t chunk = by_rows ? size.hidden : std::min(size.hidden, chunk_of(size, site.threads));
  tile_gemm::Settings settings = product(rows, size.hidden, size.channels, chunk, block.operands);  // each chunk stands by itself
  settings.epilogue.activation = tile_gemm::Activation::relu6;
  block.expand = tile_gemm::TiledProduct(settings, rows, chunk, site.machine);
}

void plan_first_convolution(Block& block, const CallSite& site, const InvertedResidual& settings) {
  const Shape& x = site.inputs[0].shape;
  const Shape& w = site.inputs[1].shape;
  tile_gemm::Epilogue epilogue;
  epilogue.bias = true;
  epilogue.activation = tile_gemm::Activation::relu6;
  block.first.emplace(FirstConvolution::Size{x[1], x[2], x[3], w[0], w[2], w[3], settings.expand_stride, settings.expand_padding}, w[0], epilogue,
                      site.machine);
}

ScratchPlan plan_scratch(const Block& block, int threads) {
  const Dimensions& size = block.size;
  ScratchPlan plan;
  std::size_t at = 0;
  const auto take = [&](std::int64_t elements, std::size_t element) {
    const std::size_t begin = at;
    at += aligned(static_cast<std::size_t>(elements) * element);
    return begin;
  };
  const bool by_rows = block.mode == Mode::rows;
  const std::int64_t group = by_rows ? 1 : block.group;
  if (size.expand && !block.first && block.operands != DType::f32) plan.x = take((by_rows ? size.width : group * size.pixels()) * size.channels, block.operand_size());
  if (size.expand) plan.expanded = take(by_rows ? kRing * size.width * size.hidden : size.pixels() * block.expand.columns().size, sizeof(float));
  plan.hidden = take((by_rows ? size.width_out : group * size.pixels_out()) * size.hidden, block.operand_size());
  // The projection's scratch lies behind the first convolution's, whose padding must stay.
  const std::size_t product = std::max(block.expand.scratch_bytes(), block.project.scratch_bytes());
  plan.product = take(static_cast<std::int64_t>(product), 1);
  if (block.first) plan.first = take(static_cast<std::int64_t>(block.first->scratch_bytes()), 1);
  plan.member_bytes = at;
  // Also where the batch is a multiple of the threads: a team may come with fewer.
  if (!by_rows && threads > 1) plan.shared_bytes = aligned(static_cast<std::size_t>(size.pixels_out() * size.hidden) * block.operand_size());
  return plan;
}

Block plan_block(const CallSite& site, const InvertedResidual& settings, Mode mode) {
  Block block;
  block.size = dimensions_of(site, settings);
  block.mode = mode;
  block.operands = settings.compute;
  const std::int64_t hidden_bytes = block.size.pixels_out() * block.size.hidden * static_cast<std::int64_t>(block.operand_size());
  block.group = std::clamp<std::int64_t>(kMostHiddenBytes / hidden_bytes, 1, std::max<std::int64_t>(1, block.size.batch / site.threads));
  plan_expansion(block, site);
  if (settings.expand && !settings.expands_pointwise(site.inputs[1].shape)) plan_first_convolution(block, site, settings);
  plan_projection(block, site.threads, site.machine);
  block.scratch = plan_scratch(block, site.threads);
  return block;
}

void pack(Block& block, const InvertedResidual& settings, const std::vector<Tensor>& constants, PackCache& packs) {
  if (settings.expand) {
    block.expand_packed = (block.first ? block.first->tiles() : block.expand).pack(packs, constants[settings.expand_input()]);
    block.expand_bias = constants[settings.expand_input() + 1];
  }
  block.depthwise = pack_depthwise(packs, constants[settings.depthwise_input()]);
  block.depthwise_bias = constants[settings.depthwise_input() + 1];
  block.project_packed = block.project.pack(packs, constants[settings.project_input()]);
  block.project_bias = constants[settings.project_input() + 1];
}

std::string detail(const Block& block, const Machine& machine) {
  std::string text = block.first ? "rows of the first:" : block.mode == Mode::rows ? "rows:" : "channels:";
  text += block.project.implementation();
  const std::string_view emulation = tile_gemm::emulation(block.operands, block.project.implementation(), machine);
  return emulation.empty() ? text : text + " (" + std::string(emulation) + ")";
}

}  // namespace
}  // namespace inverted_residual

Offer inverted_residual_tile(const CallSite& site) {
  using namespace inverted_residual;
  const InvertedResidual settings = *site.op.as<InvertedResidual>();
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  for (std::size_t i = 1; i < site.inputs.size(); ++i) {
    if (!site.constant(i)) return Offer::refuse("weights that are not constant");
  }
  const bool first = settings.expand && !settings.expands_pointwise(site.inputs[1].shape);
  if (first && settings.has_residual) return Offer::refuse("a residual around a first convolution");
  if (first && site.inputs[0].shape[1] > FirstConvolution::kMostChannels) return Offer::refuse("an expansion that is not 1×1, of many channels");
  const Shape& y = site.outputs[0].shape;
  const Mode mode = y[2] * y[3] <= kMostPixelsByChannels && !first ? Mode::channels : Mode::rows;
  const Block planned = plan_block(site, settings, mode);
  const std::size_t scratch = planned.scratch.shared_bytes + planned.scratch.member_bytes * static_cast<std::size_t>(site.threads);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=, packs = site.packs] {
    auto block = std::make_shared<Block>(planned);
    pack(*block, settings, constants, *packs);
    PreparedKernel kernel;
    kernel.packed_bytes = block->expand_packed.bytes() + block->depthwise.bytes() + block->project_packed.bytes();
    kernel.bind = [block = std::shared_ptr<const Block>(std::move(block))](const Buffers& buffers) -> Step {
      const Run run{reinterpret_cast<const float*>(buffers.inputs[0]), reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
      if (block->mode == Mode::rows) return [=](const Member& member) { run_rows(*block, run, member); };
      return [=](const Member& member) { run_channels(*block, run, member); };
    };
    return kernel;
  };
  Offer offer = plain_offer(site, prepare, scratch);
  offer.detail = detail(planned, site.machine);
  offer.effective = settings.compute;
  if (!first) offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
