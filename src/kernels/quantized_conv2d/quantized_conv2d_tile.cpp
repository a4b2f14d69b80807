#include <algorithm>
#include <memory>

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/quantized_conv2d/byte_depthwise.hpp"
#include "kernels/quantized_conv2d/first_bytes.hpp"
#include "kernels/quantized_conv2d/quantized_conv2d.hpp"

namespace edgelab::kernels {
namespace {

struct Size {
  std::int64_t batch, channels, height, width, channels_out, height_out, width_out;
  std::int64_t pixels_out() const { return height_out * width_out; }
};

Size size_of(const CallSite& site) {
  const Shape& x = site.inputs[0].shape;
  const Shape& y = site.outputs[0].shape;
  return {x[0], x[1], x[2], x[3], y[1], y[2], y[3]};
}

ByteGrids grids_of(const QuantizedConv2d& conv) { return {conv.input, conv.output, conv.residual, conv.activation}; }

// Of one call.
struct Operands {
  const std::byte* x;
  const std::uint8_t* residual;
  std::byte *y, *scratch;
};

// `run(member, packed, operands)` is one member's part of a call, `pack()` makes what is known beforehand.
template <class Pack, class Run> Offer team_offer(const CallSite& site, const Pack& pack, const Run& run, std::size_t scratch_bytes) {
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const bool residual = site.op.as<QuantizedConv2d>()->residual.has_value();
  const auto prepare = [=, packs = site.packs] {
    const auto packed = std::make_shared<const decltype(pack(constants, *packs))>(pack(constants, *packs));
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const Operands operands{buffers.inputs[0], residual ? reinterpret_cast<const std::uint8_t*>(buffers.inputs[4]) : nullptr, buffers.outputs[0], buffers.scratch};
      return [=](const Member& member) { run(member, *packed, operands); };
    }, packed->packed_bytes};
  };
  Offer offer = plain_offer(site, prepare, scratch_bytes);
  offer.effective = DType::s8;
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

struct PackedProduct {
  BytePack product;
  std::size_t packed_bytes;
};

// ---- 1×1 ----

Offer pointwise(const CallSite& site, const QuantizedConv2d& conv) {
  const Size size = size_of(site);
  const ByteGrids grids = grids_of(conv);
  const std::int64_t pixels = size.batch * size.pixels_out();
  const auto parts_of = [](std::int64_t total, std::int64_t most) { return (total + most - 1) / most; };
  std::int64_t rows = pixels, columns = std::min<std::int64_t>(64, tile_gemm::equal_blocks(size.channels_out, site.threads, 16).size);
  if (size.channels_out <= pixels) {
    // Pixels of a block, for its operands to stay in L2.
    const std::int64_t most = std::clamp<std::int64_t>((std::int64_t{1} << 18) / size.channels, 32, 512);
    rows = tile_gemm::equal_blocks(pixels, site.threads * parts_of(pixels, site.threads * most)).size;
    columns = tile_gemm::equal_blocks(size.channels_out, parts_of(size.channels_out, 64), 16).size;
  }
  const tile_gemm::TiledProduct tiles(byte_settings(pixels, size.channels_out, size.channels, size.channels_out, grids), rows, columns, site.machine);
  const auto pack = [=](const std::vector<Tensor>& constants, PackCache& packs) {
    const BytePack packed = pack_bytes(tiles, grids, constants[1], constants[2], constants[3], packs);
    return PackedProduct{packed, packed.bytes()};
  };
  const std::size_t own = aligned(tiles.scratch_bytes()), element = grids.y ? 1 : sizeof(float);
  const auto run = [=](const Member& member, const PackedProduct& packed, const Operands& o) {
    tile_gemm::Arguments arguments;
    packed.product.fill(arguments);
    arguments.scratch = o.scratch + static_cast<std::size_t>(member.index()) * own;
    const std::int64_t count = tiles.columns().count();
    const Member::Part part = member.part(tiles.rows().count() * count);
    for (std::int64_t at = part.begin; at < part.end; ++at) {
      const std::int64_t row = at / count, column = at % count;
      const std::int64_t out = tiles.rows().begin(row) * size.channels_out + tiles.columns().begin(column);
      arguments.a = o.x + tiles.rows().begin(row) * size.channels;
      arguments.c = o.y + static_cast<std::size_t>(out) * element;
      arguments.residual = o.residual == nullptr ? nullptr : o.residual + out;
      tiles.run(row, column, arguments);
    }
  };
  Offer offer = team_offer(site, pack, run, own * static_cast<std::size_t>(site.threads));
  offer.detail = "pointwise:" + std::string(tiles.implementation());
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  if (conv.residual) offer.inputs[4] = Layout::channels_last(site.outputs[0]);
  return offer;
}

// ---- depthwise 3×3 ----

struct PackedDepthwise {
  ByteDepthwiseWeights weights;
  Tensor outside;
  std::size_t packed_bytes;
};

Offer depthwise(const CallSite& site, const QuantizedConv2d& conv) {
  const Size size = size_of(site);
  const tile_gemm::Requantize grid = grids_of(conv).requantize();
  const auto pack = [=](const std::vector<Tensor>& constants, PackCache&) {
    const IntegerTables tables = integer_tables(conv.input, constants[2], constants[3], {conv.output->scale});
    PackedDepthwise packed{pack_byte_depthwise(constants[1], tables, conv.input.zero_point), Tensor(DType::u8, {size.channels}), 0};
    std::fill_n(packed.outside.data(), packed.outside.bytes(), static_cast<std::byte>(conv.input.zero_point));
    packed.packed_bytes = packed.weights.bytes.bytes();
    return packed;
  };
  const auto run = [=](const Member& member, const PackedDepthwise& packed, const Operands& o) {
    ByteDepthwiseRow row;
    row.pixel = row.channels = row.out_pixel = size.channels;
    row.width = size.width;
    row.stride = conv.stride;
    row.outside = reinterpret_cast<const std::uint8_t*>(packed.outside.data());
    row.weights = &packed.weights;
    row.grid = grid;
    const std::int64_t line = size.width * size.channels;
    const Member::Part part = member.part(size.batch * size.height_out);
    for (std::int64_t at = part.begin; at < part.end; ++at) {
      const auto* image = reinterpret_cast<const std::uint8_t*>(o.x) + at / size.height_out * size.height * line;
      for (std::int64_t u = 0; u < 3; ++u) {
        const std::int64_t from = at % size.height_out * conv.stride + u - 1;
        row.rows[static_cast<std::size_t>(u)] = from >= 0 && from < size.height ? image + from * line : nullptr;
      }
      row.out = reinterpret_cast<std::uint8_t*>(o.y) + at * size.width_out * size.channels;
      byte_depthwise_row(row);
    }
  };
  Offer offer = team_offer(site, pack, run, 0);
  offer.detail = "depthwise";
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  return offer;
}

// ---- the first convolution ----

Offer first_convolution(const CallSite& site, const QuantizedConv2d& conv) {
  const Size size = size_of(site);
  const Shape& w = site.inputs[1].shape;
  const FirstBytes first({size.channels, size.height, size.width, size.channels_out, w[2], w[3], conv.stride, conv.padding}, size.channels_out, grids_of(conv),
                         site.machine);
  const auto pack = [=](const std::vector<Tensor>& constants, PackCache& packs) {
    const BytePack packed = first.pack(constants[1], constants[2], constants[3], packs);
    return PackedProduct{packed, packed.bytes()};
  };
  const std::size_t own = aligned(first.scratch_bytes()), element = conv.output ? 1 : sizeof(float);
  const auto run = [=](const Member& member, const PackedProduct& packed, const Operands& o) {
    std::byte* mine = o.scratch + static_cast<std::size_t>(member.index()) * own;
    const Member::Part part = member.part(size.batch * size.height_out);
    for (std::int64_t at = part.begin; at < part.end; ++at) {
      const float* image = reinterpret_cast<const float*>(o.x) + at / size.height_out * size.channels * size.height * size.width;
      first.row(image, at % size.height_out, packed.product, mine, o.y + static_cast<std::size_t>(at * size.width_out * size.channels_out) * element);
    }
  };
  Offer offer = team_offer(site, pack, run, own * static_cast<std::size_t>(site.threads));
  offer.detail = "first:" + std::string(first.implementation());
  return offer;
}

}  // namespace

Offer quantized_conv2d_tile(const CallSite& site) {
  const QuantizedConv2d conv = *site.op.as<QuantizedConv2d>();
  const Shape& w = site.inputs[1].shape;
  for (std::size_t i = 1; i < 4; ++i) {
    if (!site.constant(i)) return Offer::refuse("weights that are not constant");
  }
  if (site.constant(0) || (conv.residual && site.constant(4))) return Offer::refuse("images that are constant");
  const Conv2d shapes{.stride = conv.stride, .padding = conv.padding, .groups = conv.groups};
  const bool bytes = site.inputs[0].dtype == DType::u8;
  if (bytes && is_pointwise(shapes, w)) return pointwise(site, conv);
  if (conv.residual) return Offer::refuse("a residual of a convolution larger than 1×1");
  if (bytes && conv.output && is_depthwise_3x3(shapes, w)) return depthwise(site, conv);
  if (!bytes && conv.groups == 1 && w[1] <= FirstBytes::kMostChannels) return first_convolution(site, conv);
  return Offer::refuse("neither 1×1 nor depthwise 3×3 of bytes, nor of few channels of fp32");
}

}  // namespace edgelab::kernels
