#include "kernels/quantized_linear/tile_quantized_linear.hpp"

#include <algorithm>

#include "kernels/aligned.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/quantize/byte_rows.hpp"

namespace edgelab::kernels {
namespace {

// Below it a member's rows are too few to pay for reading the whole weight.
constexpr std::int64_t kFewRows = 8;
// Of L2, for a band's operand.
constexpr std::int64_t kBandBytes = 320 * 1024;

}  // namespace

void quantize_band(const float* x, const float* gain, const float* shift, double epsilon, const U8Grid& grid, std::int64_t rows, std::int64_t width,
                   std::uint8_t* to) {
  if (gain == nullptr) return quantize_rows(x, width, grid, to, width, rows, width);
  LayerNormRows norm;
  norm.x = x;
  norm.weight = gain;
  norm.bias = shift;
  norm.epsilon = static_cast<float>(epsilon);
  norm.y = to;
  norm.y_type = DType::u8;
  norm.grid = grid;
  norm.x_ld = norm.y_ld = norm.width = width;
  norm.rows = rows;
  layer_norm_rows(norm);
}

TileQuantizedLinear::TileQuantizedLinear(const QuantizedLinear& settings, DType x, std::int64_t rows, std::int64_t k, std::int64_t n, int threads,
                                         const Machine& machine)
    : settings_(settings), x_type_(x), rows_(rows), k_(k), n_(n), threads_(threads), by_columns_(rows <= kFewRows || rows < 4 * threads) {
  bands_ = {rows, by_columns_ ? rows : std::clamp<std::int64_t>(kBandBytes / k, 24, 256)};
  const auto heights = by_columns_ ? std::vector{rows} : bands_.heights(threads);
  layer_ = IntegerLayer({k, n, settings.input, settings.weight_bits, settings.activation, settings.outputs, settings.has_residual}, heights, machine);
  const std::int64_t most = *std::max_element(heights.begin(), heights.end());
  buffer_bytes_ = x == DType::u8 ? 0 : aligned(static_cast<std::size_t>(most * k));
  member_bytes_ = buffer_bytes_ + aligned(layer_.scratch_bytes());
}

IntegerLayer::Rows TileQuantizedLinear::rows_of(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own) const {
  IntegerLayer::Rows rows;
  rows.count = count;
  if (x_type_ == DType::u8) {
    rows.x = reinterpret_cast<const std::uint8_t*>(memory.x) + first * k_;
  } else {
    auto* buffer = reinterpret_cast<std::uint8_t*>(own);
    const float* x = reinterpret_cast<const float*>(memory.x) + first * k_;
    quantize_band(x, memory.gain, memory.shift, settings_.epsilon.value_or(0), settings_.input, count, k_, buffer);
    rows.x = buffer;
  }
  if (settings_.has_residual) rows.residual = memory.residual + first * n_;
  rows.y = memory.y + first * n_ * static_cast<std::int64_t>(settings_.outputs.empty() ? sizeof(float) : 1);
  rows.scratch = own + buffer_bytes_;
  return rows;
}

void TileQuantizedLinear::run(const Member& member, const Memory& memory) const {
  std::byte* own = memory.scratch + static_cast<std::size_t>(member.index()) * member_bytes_;
  if (by_columns_) {
    const Member::Part part = member.part(layer_.blocks());
    if (part.size() == 0) return;
    const IntegerLayer::Rows rows = rows_of(0, rows_, memory, own);
    for (std::int64_t block = part.begin; block < part.end; ++block) layer_.run(block, *memory.weight, rows);
    return;
  }
  bands_.each(member, [&](std::int64_t first, std::int64_t count) { layer_.run(*memory.weight, rows_of(first, count, memory, own)); });
}

}  // namespace edgelab::kernels
