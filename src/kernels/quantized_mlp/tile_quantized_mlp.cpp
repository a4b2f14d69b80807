#include "kernels/quantized_mlp/tile_quantized_mlp.hpp"

#include <algorithm>
#include <utility>

#include "kernels/aligned.hpp"
#include "kernels/quantized_linear/tile_quantized_linear.hpp"

namespace edgelab::kernels {
namespace {

constexpr std::int64_t kFewRows = 8;
// Of L2, for a band: its normalised rows, their hidden layer, and its rows of y.
constexpr std::int64_t kBandBytes = 640 * 1024;

IntegerLayerSettings up_of(const QuantizedMlp& s, const TileQuantizedMlp::Shape& shape) {
  return {shape.width, shape.hidden, s.input, s.up_bits, s.activation, {s.hidden}, false};
}

IntegerLayerSettings down_of(const QuantizedMlp& s, const TileQuantizedMlp::Shape& shape) {
  return {shape.hidden, shape.width, s.hidden, s.down_bits, ActivationKind::none, {}, true};
}

}  // namespace

TileQuantizedMlp::TileQuantizedMlp(const QuantizedMlp& settings, const Shape& shape, int threads, const Machine& machine)
    : settings_(settings), shape_(shape), threads_(threads), by_columns_(shape.rows <= kFewRows || shape.rows < 4 * threads) {
  bands_ = {shape.rows, by_columns_ ? shape.rows : std::clamp<std::int64_t>(kBandBytes / (5 * shape.width + shape.hidden), 24, 256)};
  const auto heights = by_columns_ ? std::vector{shape.rows} : bands_.heights(threads);
  up_ = IntegerLayer(up_of(settings, shape), heights, machine);
  down_ = IntegerLayer(down_of(settings, shape), heights, machine);
  const auto height = static_cast<std::size_t>(*std::max_element(heights.begin(), heights.end()));
  normal_bytes_ = aligned(height * static_cast<std::size_t>(shape.width));
  hidden_bytes_ = aligned(height * static_cast<std::size_t>(shape.hidden));
  if (by_columns_) shared_bytes_ = std::exchange(hidden_bytes_, 0);
  member_bytes_ = normal_bytes_ + hidden_bytes_ + aligned(std::max(up_.scratch_bytes(), down_.scratch_bytes()));
}

// The rows, normalised into this member's memory, on their way into the hidden layer.
IntegerLayer::Rows TileQuantizedMlp::up_rows(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own, std::byte* hidden) const {
  auto* normal = reinterpret_cast<std::uint8_t*>(own);
  quantize_band(memory.x + first * shape_.width, memory.gain, memory.shift, settings_.epsilon, settings_.input, count, shape_.width, normal);
  IntegerLayer::Rows rows;
  rows.count = count;
  rows.x = normal;
  rows.y = hidden;
  rows.scratch = own + normal_bytes_ + hidden_bytes_;
  return rows;
}

IntegerLayer::Rows TileQuantizedMlp::down_rows(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own, std::byte* hidden) const {
  IntegerLayer::Rows rows;
  rows.count = count;
  rows.x = reinterpret_cast<const std::uint8_t*>(hidden);
  rows.residual = memory.x + first * shape_.width;
  rows.y = reinterpret_cast<std::byte*>(memory.y + first * shape_.width);
  rows.scratch = own + normal_bytes_ + hidden_bytes_;
  return rows;
}

void TileQuantizedMlp::run(const Member& member, const Memory& memory) const {
  std::byte* own = memory.scratch + shared_bytes_ + static_cast<std::size_t>(member.index()) * member_bytes_;
  if (!by_columns_) {
    bands_.each(member, [&](std::int64_t first, std::int64_t count) {
      std::byte* hidden = own + normal_bytes_;
      up_.run(memory.weights->up, up_rows(first, count, memory, own, hidden));
      down_.run(memory.weights->down, down_rows(first, count, memory, own, hidden));
    });
    return;
  }
  std::byte* hidden = memory.scratch;
  const Member::Part units = member.part(up_.blocks()), columns = member.part(down_.blocks());
  if (units.size() > 0) {
    const IntegerLayer::Rows rows = up_rows(0, shape_.rows, memory, own, hidden);
    for (std::int64_t block = units.begin; block < units.end; ++block) up_.run(block, memory.weights->up, rows);
  }
  member.barrier();
  const IntegerLayer::Rows rows = down_rows(0, shape_.rows, memory, own, hidden);
  for (std::int64_t block = columns.begin; block < columns.end; ++block) down_.run(block, memory.weights->down, rows);
}

}  // namespace edgelab::kernels
