#include "kernels/linear/tile_linear.hpp"

#include <algorithm>

#include "kernels/activation/activation_map.hpp"
#include "kernels/aligned.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"

namespace edgelab::kernels {
namespace {

// Below it a member's rows are too few to pay for reading the whole weight.
constexpr std::int64_t kFewRows = 8;
// Of L2, for a band's operand: the rest is for the block of the weight and the columns of the result.
constexpr std::int64_t kBandBytes = 320 * 1024;

tile_gemm::Settings product_of(const TileLinearSettings& s) {
  tile_gemm::Settings product;
  product.m = 1;
  product.n = product.ldc = s.n;
  product.k = product.lda = s.k;
  product.a = product.b = s.compute;
  product.c = s.y;
  product.epilogue.bias = s.bias;
  product.epilogue.residual = s.residual;
  product.epilogue.residual_ld = s.residual ? s.n : 0;
  product.epilogue.activation = tile_activation(s.activation);
  return product;
}

}  // namespace

tile_gemm::Activation tile_activation(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::none: return tile_gemm::Activation::none;
    case ActivationKind::relu: return tile_gemm::Activation::relu;
    case ActivationKind::relu6: return tile_gemm::Activation::relu6;
    case ActivationKind::gelu: return tile_gemm::Activation::gelu;
  }
  return tile_gemm::Activation::none;
}

TileLinear::TileLinear(const TileLinearSettings& settings, int threads, const Machine& machine)
    : settings_(settings), threads_(threads), machine_(machine), by_columns_(settings.rows <= kFewRows || settings.rows < 4 * threads) {
  const std::int64_t row_bytes = settings.k * static_cast<std::int64_t>(size_of(settings.compute));
  bands_ = {settings.rows, by_columns_ ? settings.rows : std::clamp<std::int64_t>(kBandBytes / row_bytes, 24, 256)};
  const std::vector<std::int64_t> heights = by_columns_ ? std::vector{settings.rows} : bands_.heights(threads);
  blocks_ = tile_gemm::ColumnBlocks(product_of(settings), heights, machine);
  const std::int64_t most = *std::max_element(heights.begin(), heights.end());
  buffer_bytes_ = copies() ? aligned(static_cast<std::size_t>(most * row_bytes)) : 0;
  member_bytes_ = buffer_bytes_ + aligned(blocks_.scratch_bytes());
  if (!settings.weight_changes || settings.compute == DType::f32) return;
  member_bytes_ = std::max(member_bytes_, aligned(static_cast<std::size_t>(tile_gemm::ColumnBlocks::kColumns * row_bytes)));  // a block rounded
}

// Rows first … first + count of the product's left operand.
const void* TileLinear::band(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* buffer) const {
  const auto* x = static_cast<const std::byte*>(memory.x) + first * settings_.k * static_cast<std::int64_t>(size_of(settings_.x));
  if (!copies()) return x;
  const auto* floats = reinterpret_cast<const float*>(x);
  if (!settings_.norm_epsilon) {
    round_rows(floats, settings_.k, reinterpret_cast<std::uint16_t*>(buffer), settings_.k, count, settings_.k);
    return buffer;
  }
  LayerNormRows norm;
  norm.x = floats;
  norm.weight = memory.gain;
  norm.bias = memory.shift;
  norm.epsilon = *settings_.norm_epsilon;
  norm.y = buffer;
  norm.y_type = settings_.compute;
  norm.x_ld = norm.y_ld = norm.width = settings_.k;
  norm.rows = count;
  layer_norm_rows(norm);
  return buffer;
}

tile_gemm::Arguments TileLinear::arguments(std::int64_t first, const void* a, const Memory& memory, std::byte* buffer) const {
  tile_gemm::Arguments arguments;
  arguments.a = a;
  arguments.packed_b = memory.weight;
  arguments.c = memory.y + first * settings_.n * static_cast<std::int64_t>(size_of(settings_.y));
  arguments.bias = memory.bias;
  arguments.residual = memory.residual == nullptr ? nullptr : memory.residual + first * settings_.n;
  arguments.scratch = buffer + buffer_bytes_;
  return arguments;
}

// This member's blocks of the weight.
void TileLinear::pack_blocks(const Member& member, const float* weight, std::byte* buffer, std::byte* to) const {
  using tile_gemm::ColumnBlocks;
  const bool turned = settings_.weight_turned;
  const Member::Part part = member.part(blocks_.blocks());
  for (std::int64_t block = part.begin; block < part.end; ++block) {
    const std::int64_t first = block * ColumnBlocks::kColumns, columns = blocks_.columns(block);
    const float* from = weight + (turned ? first * settings_.k : first);
    const std::int64_t ld = turned ? settings_.k : settings_.n;
    if (settings_.compute == DType::f32) {
      blocks_.pack_block(block, {from, ld, turned}, to);
      continue;
    }
    const std::int64_t rows = turned ? columns : settings_.k, width = turned ? settings_.k : columns;
    round_rows(from, ld, reinterpret_cast<std::uint16_t*>(buffer), width, rows, width);
    blocks_.pack_block(block, {buffer, width, turned}, to);
  }
}

void TileLinear::run(const Member& member, const Memory& memory) const {
  if (!settings_.weight_changes) return multiply(member, memory);
  std::byte* to = memory.scratch + packed_at();
  pack_blocks(member, reinterpret_cast<const float*>(memory.weight), own(member, memory), to);
  Memory packed = memory;
  packed.weight = to;
  member.barrier();
  multiply(member, packed);
}

// Rows first … first + count of one block of columns.
void TileLinear::run_block(std::int64_t block, std::int64_t first, std::int64_t count, const tile_gemm::Arguments& whole, const Memory& memory) const {
  blocks_.run(count, block, whole);
  if (memory.slope == nullptr) return;
  const std::int64_t at = first * settings_.n + block * tile_gemm::ColumnBlocks::kColumns;
  float* y = reinterpret_cast<float*>(memory.y) + at;
  activate_backward_rows(settings_.slope, memory.slope + at, y, y, settings_.n, count, blocks_.columns(block));
}

void TileLinear::multiply(const Member& member, const Memory& memory) const {
  std::byte* buffer = own(member, memory);
  if (by_columns_) {
    const tile_gemm::Arguments whole = arguments(0, band(0, settings_.rows, memory, buffer), memory, buffer);
    const Member::Part part = member.part(blocks_.blocks());
    for (std::int64_t block = part.begin; block < part.end; ++block) run_block(block, 0, settings_.rows, whole, memory);
    return;
  }
  bands_.each(member, [&](std::int64_t first, std::int64_t count) {
    const tile_gemm::Arguments whole = arguments(first, band(first, count, memory, buffer), memory, buffer);
    for (std::int64_t block = 0; block < blocks_.blocks(); ++block) run_block(block, first, count, whole, memory);
  });
}

Offer tile_linear_offer(const CallSite& site, TileLinearSettings settings, const TileLinearInputs& inputs) {
  const Shape& shape = site.inputs[inputs.weight].shape;
  settings.k = shape[settings.weight_turned ? 1 : 0];
  settings.n = shape[settings.weight_turned ? 0 : 1];
  settings.rows = site.inputs[0].elements() / settings.k;
  settings.weight_changes = !site.constant(inputs.weight) || !settings.weight_turned;
  const TileLinear linear(settings, site.threads, site.machine);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=, packs = site.packs] {
        tile_gemm::PackedWeight weight;
        if (!settings.weight_changes) weight = linear.pack(constants[inputs.weight], *packs);
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const auto floats = [&](std::optional<std::size_t> input) {
                                  return input ? reinterpret_cast<const float*>(input_bytes(buffers, constants, *input)) : nullptr;
                                };
                                TileLinear::Memory memory;
                                memory.x = input_bytes(buffers, constants, 0);
                                memory.gain = floats(inputs.gain);
                                memory.shift = floats(inputs.shift);
                                memory.weight = settings.weight_changes ? input_bytes(buffers, constants, inputs.weight) : weight.bytes.data();
                                memory.bias = floats(inputs.bias);
                                memory.residual = floats(inputs.residual);
                                memory.slope = floats(inputs.slope);
                                memory.y = buffers.outputs[0];
                                memory.scratch = buffers.scratch;
                                return [linear, memory, weight, keep = constants](const Member& member) { linear.run(member, memory); };
                              },
                              weight.bytes.defined() ? weight.bytes.bytes() : 0};
      },
      linear.scratch_bytes());
  offer.detail = linear.detail() + (settings.weight_changes ? ", packed in each run" : "");
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
