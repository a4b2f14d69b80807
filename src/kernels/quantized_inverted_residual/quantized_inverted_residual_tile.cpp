#include <algorithm>
#include <memory>

#include "kernels/aligned.hpp"
#include "kernels/quantized_inverted_residual/byte_block.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"

namespace edgelab::kernels {
namespace quantized_inverted_residual {

ByteDepthwiseRow depthwise_row_of(const Block& block) {
  ByteDepthwiseRow row;
  row.width = block.size.width;
  row.stride = block.size.stride;
  row.outside = reinterpret_cast<const std::uint8_t*>(block.outside.data());
  row.weights = &block.depthwise;
  row.grid = block.depthwise_grid;
  return row;
}

namespace {

// Output pixels of an image up to which the channels mode is taken, as in fp32.
constexpr std::int64_t kMostPixelsByChannels = 14 * 14;

ByteGrids grids_of(const QuantizedConv2d& conv) { return {conv.input, conv.output, conv.residual, conv.activation}; }

bool is_first(const QuantizedInvertedResidual& settings, const CallSite& site) { return settings.expand() && site.inputs[0].dtype == DType::f32; }

Dimensions dimensions_of(const QuantizedInvertedResidual& settings, const CallSite& site) {
  const Shape& x = site.inputs[0].shape;
  const Shape& y = site.outputs[0].shape;
  Dimensions size;
  size.batch = x[0], size.height = x[2], size.width = x[3];
  if (is_first(settings, site)) {
    const TensorType e = settings.convolutions[0].infer(settings.inputs_of(0, site.inputs, site.inputs[0])).front();
    size.height = e.shape[2], size.width = e.shape[3];
  }
  size.height_out = y[2], size.width_out = y[3];
  size.channels = x[1], size.channels_out = y[1];
  size.hidden = site.inputs[settings.weight_input(settings.convolutions.size() - 1)].shape[1];
  size.image = x[1] * x[2] * x[3] * static_cast<std::int64_t>(size_of(site.inputs[0].dtype));
  size.stride = settings.depthwise().stride;
  size.expand = settings.expand(), size.residual = settings.project().residual.has_value();
  return size;
}

void plan_expansion(Block& block, const QuantizedInvertedResidual& settings, const CallSite& site) {
  const Dimensions& size = block.size;
  if (is_first(settings, site)) {
    const Shape &x = site.inputs[0].shape, &w = site.inputs[1].shape;
    const QuantizedConv2d& conv = settings.convolutions.front();
    block.first.emplace(FirstBytes::Size{x[1], x[2], x[3], w[0], w[2], w[3], conv.stride, conv.padding}, size.hidden, grids_of(conv), site.machine);
    return;
  }
  const bool by_rows = block.mode == Mode::rows;
  // A chunk is a block of the depthwise kernel: one that is narrower would waste the rest of it.
  const std::int64_t chunk = by_rows ? size.hidden : std::min(size.hidden, std::max<std::int64_t>(64, ByteDepthwiseWeights::block()));
  const std::int64_t rows = by_rows ? size.width : size.pixels();
  const ByteGrids grids = size.expand ? grids_of(settings.convolutions.front()) : ByteGrids{{}, U8Grid(), {}};
  block.expand = tile_gemm::TiledProduct(byte_settings(rows, size.hidden, size.channels, chunk, grids), rows, chunk, site.machine);
}

// A member that takes rows reads all weights, one that takes columns reads all of d.
void plan_projection(Block& block, const QuantizedInvertedResidual& settings, const CallSite& site) {
  const Dimensions& size = block.size;
  const bool by_rows = block.mode == Mode::rows;
  const std::int64_t rows = by_rows ? size.width_out : size.pixels_out();
  std::int64_t block_rows = rows, block_columns = size.channels_out;
  if (!by_rows && size.batch % site.threads != 0) {
    if (size.channels_out > rows) {
      block_columns = tile_gemm::equal_blocks(block_columns, site.threads, 16).size;
    } else {
      block_rows = tile_gemm::equal_blocks(rows, site.threads).size;
    }
  }
  const ByteGrids grids = grids_of(settings.project());
  block.project = tile_gemm::TiledProduct(byte_settings(rows, size.channels_out, size.hidden, size.channels_out, grids), block_rows, block_columns, site.machine);
}

ScratchPlan plan_scratch(const Block& block, int threads) {
  const Dimensions& size = block.size;
  const bool by_rows = block.mode == Mode::rows;
  ScratchPlan plan;
  const auto take = [&plan](std::int64_t bytes) {
    const std::size_t begin = plan.member_bytes;
    plan.member_bytes += aligned(static_cast<std::size_t>(bytes));
    return begin;
  };
  if (size.expand) plan.expanded = take(by_rows ? kRing * size.width * size.hidden : size.pixels() * block.expand.columns().size);
  plan.hidden = take((by_rows ? size.width_out : size.pixels_out()) * size.hidden);
  plan.product = take(static_cast<std::int64_t>(std::max(block.expand.scratch_bytes(), block.project.scratch_bytes())));
  if (block.first) plan.first = take(static_cast<std::int64_t>(block.first->scratch_bytes()));
  // Also where the batch is a multiple of the threads: a team may come with fewer.
  if (!by_rows && threads > 1) plan.shared_bytes = aligned(static_cast<std::size_t>(size.pixels_out() * size.hidden));
  return plan;
}

Block plan_block(const QuantizedInvertedResidual& settings, const CallSite& site) {
  Block block;
  block.size = dimensions_of(settings, site);
  block.mode = block.size.pixels_out() <= kMostPixelsByChannels && !is_first(settings, site) ? Mode::channels : Mode::rows;
  plan_expansion(block, settings, site);
  plan_projection(block, settings, site);
  block.scratch = plan_scratch(block, site.threads);
  return block;
}

void pack(Block& block, const QuantizedInvertedResidual& settings, const std::vector<Tensor>& constants, PackCache& packs) {
  const std::size_t project = settings.weight_input(settings.convolutions.size() - 1), depthwise = project - 3;
  if (block.first) block.expand_pack = block.first->pack(constants[1], constants[2], constants[3], packs);
  if (settings.expand() && !block.first) {
    block.expand_pack = pack_bytes(block.expand, grids_of(settings.convolutions.front()), constants[1], constants[2], constants[3], packs);
  }
  const QuantizedConv2d& conv = settings.depthwise();
  const IntegerTables tables = integer_tables(conv.input, constants[depthwise + 1], constants[depthwise + 2], {conv.output->scale});
  block.depthwise = pack_byte_depthwise(constants[depthwise], tables, conv.input.zero_point);
  block.depthwise_grid = grids_of(conv).requantize();
  block.outside = Tensor(DType::u8, {block.size.hidden});
  std::fill_n(block.outside.data(), block.outside.bytes(), static_cast<std::byte>(conv.input.zero_point));
  block.project_pack = pack_bytes(block.project, grids_of(settings.project()), constants[project], constants[project + 1], constants[project + 2], packs);
}

}  // namespace
}  // namespace quantized_inverted_residual

Offer quantized_inverted_residual_tile(const CallSite& site) {
  using namespace quantized_inverted_residual;
  const QuantizedInvertedResidual settings = *site.op.as<QuantizedInvertedResidual>();
  for (std::size_t i = 1; i < site.inputs.size(); ++i) {
    if (!site.constant(i)) return Offer::refuse("weights that are not constant");
  }
  const Shape& w = site.inputs[1].shape;
  const bool bytes = site.inputs[0].dtype == DType::u8, pointwise = w[2] == 1 && w[3] == 1 && settings.convolutions.front().stride == 1 && settings.convolutions.front().padding == 0;
  if (settings.expand() ? bytes != pointwise : !bytes) return Offer::refuse("neither bytes expanded by 1×1 nor a first convolution of fp32");
  if (!bytes && site.inputs[0].shape[1] > FirstBytes::kMostChannels) return Offer::refuse("a first convolution of many channels");
  const Block planned = plan_block(settings, site);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=, packs = site.packs] {
    auto block = std::make_shared<Block>(planned);
    pack(*block, settings, constants, *packs);
    PreparedKernel kernel;
    kernel.packed_bytes = block->depthwise.bytes.bytes() + block->project_pack.bytes() + (settings.expand() ? block->expand_pack.bytes() : 0);
    kernel.bind = [block = std::shared_ptr<const Block>(std::move(block))](const Buffers& buffers) -> Step {
      const Run run{buffers.inputs[0], reinterpret_cast<std::uint8_t*>(buffers.outputs[0]), buffers.scratch};
      if (block->mode == Mode::rows) return [=](const Member& member) { run_rows(*block, run, member); };
      return [=](const Member& member) { run_channels(*block, run, member); };
    };
    return kernel;
  };
  Offer offer = plain_offer(site, prepare, planned.scratch.shared_bytes + planned.scratch.member_bytes * static_cast<std::size_t>(site.threads));
  offer.detail = std::string(planned.first ? "rows of the first:" : planned.mode == Mode::rows ? "rows:" : "channels:") + std::string(planned.project.implementation());
  offer.effective = DType::s8;
  if (bytes) offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
