#include "kernels/mlp/tile_mlp.hpp"

#include <algorithm>

#include "kernels/aligned.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/linear/tile_linear.hpp"

namespace edgelab::kernels {
namespace {

using tile_gemm::ColumnBlocks;

constexpr std::int64_t kFewRows = 8;
// Hidden units at a time. bench_transformer_ops (`cut`) on DeiT-Ti and S, both types: 768 beat 512 by 1 % and 384 by 1 to 3 %;
// in the whole models no difference was left.
constexpr std::int64_t kChunk = 768;
// Of L2, for a band: its normalised rows, a chunk of its hidden layer, and its rows of y.
constexpr std::int64_t kBandBytes = 640 * 1024;

// Chunks of near-equal size, a multiple of 64.
std::int64_t default_chunk(std::int64_t hidden) {
  const std::int64_t chunks = (hidden + kChunk - 1) / kChunk;
  const std::int64_t blocks = (hidden + ColumnBlocks::kColumns - 1) / ColumnBlocks::kColumns;
  return (blocks + chunks - 1) / chunks * ColumnBlocks::kColumns;
}

std::int64_t default_rows(const TileMlp::Shape& shape, std::int64_t chunk, DType compute) {
  const auto operand = static_cast<std::int64_t>(size_of(compute));
  return std::clamp<std::int64_t>(kBandBytes / ((shape.width + chunk) * operand + shape.width * 4), 24, 256);
}

}  // namespace

TileMlp::TileMlp(const Mlp& settings, const Shape& shape, int threads, const Machine& machine, std::int64_t chunk, std::int64_t most)
    : settings_(settings),
      shape_(shape),
      threads_(threads),
      machine_(machine),
      by_columns_(shape.rows <= kFewRows || shape.rows < 4 * threads),
      chunk_(std::min(chunk > 0 ? chunk : default_chunk(shape.hidden), shape.hidden)) {
  bands_ = {shape.rows, by_columns_ ? shape.rows : most > 0 ? most : default_rows(shape, chunk_, settings.compute)};
  const auto heights = by_columns_ ? std::vector{shape.rows} : bands_.heights(threads);
  tile_gemm::Settings up;
  up.m = 1;
  up.a = up.b = up.c = settings.compute;
  up.n = shape.hidden;
  up.ldc = by_columns_ ? shape.hidden : chunk_;
  up.k = up.lda = shape.width;
  up.epilogue.bias = true;
  up.epilogue.activation = tile_activation(settings.activation);
  up_ = ColumnBlocks(up, heights, machine);
  tile_gemm::Settings down;
  down.m = 1;
  down.a = down.b = settings.compute;
  down.n = down.ldc = shape.width;
  down.k = chunk_;
  down.lda = up.ldc;
  down.accumulate = true;
  down_ = ColumnBlocks(down, heights, machine);
  if (shape.hidden % chunk_ != 0) down.k = shape.hidden % chunk_;
  down_last_ = ColumnBlocks(down, heights, machine);

  const auto height = static_cast<std::size_t>(*std::max_element(heights.begin(), heights.end()));
  const std::size_t operand = size_of(settings.compute);
  normal_bytes_ = aligned(height * static_cast<std::size_t>(shape.width) * operand);
  hidden_bytes_ = aligned(height * static_cast<std::size_t>(up.ldc) * operand);
  if (by_columns_) shared_bytes_ = std::exchange(hidden_bytes_, 0);
  const std::size_t products = std::max({up_.scratch_bytes(), down_.scratch_bytes(), down_last_.scratch_bytes()});
  member_bytes_ = normal_bytes_ + hidden_bytes_ + aligned(products);
}

TileMlp::Weights TileMlp::pack(const Tensor& up, const Tensor& down, PackCache& packs) const {
  return {tile_gemm::pack_weight(up, settings_.compute, shape_.width, up_, up_, packs),
          tile_gemm::pack_weight(down, settings_.compute, chunk_, down_, down_last_, packs)};
}

// Normalises the rows into `normal`; begins y with x and the last bias, if this member is the one to.
void TileMlp::begin(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* normal, bool begin_y) const {
  LayerNormRows norm;
  norm.x = memory.x + first * shape_.width;
  norm.weight = memory.gain;
  norm.bias = memory.shift;
  norm.epsilon = static_cast<float>(settings_.epsilon);
  norm.y = normal;
  norm.y_type = settings_.compute;
  if (begin_y) norm.total = memory.y + first * shape_.width;
  norm.addend = memory.down_bias;
  norm.x_ld = norm.y_ld = norm.total_ld = norm.width = shape_.width;
  norm.rows = count;
  layer_norm_rows(norm);
}

// One block of the hidden layer; `hidden` is where its first column goes.
void TileMlp::up(std::int64_t count, std::int64_t block, const Memory& memory, const std::byte* normal, std::byte* hidden, std::byte* scratch) const {
  tile_gemm::Arguments arguments;
  arguments.a = normal;
  arguments.packed_b = memory.weights->up.bytes.data();
  arguments.bias = memory.up_bias;
  arguments.scratch = scratch;
  up_.run(count, block, arguments, hidden);
}

// Adds what one chunk of the hidden layer gives to one block of y.
void TileMlp::down(std::int64_t count, std::int64_t piece, std::int64_t block, const Memory& memory, const std::byte* hidden, float* y,
                   std::byte* scratch) const {
  tile_gemm::Arguments arguments;
  arguments.a = hidden;
  arguments.packed_b = memory.weights->down.piece(piece);
  arguments.c = y;
  arguments.scratch = scratch;
  ((piece + 1) * chunk_ <= shape_.hidden ? down_ : down_last_).run(count, block, arguments);
}

void TileMlp::run_band(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own) const {
  std::byte *normal = own, *hidden = normal + normal_bytes_, *scratch = hidden + hidden_bytes_;
  const auto operand = static_cast<std::int64_t>(size_of(settings_.compute));
  begin(first, count, memory, normal, true);
  float* y = memory.y + first * shape_.width;
  for (std::int64_t piece = 0; piece < chunks(); ++piece) {
    const std::int64_t column = piece * chunk_, end = std::min(column + chunk_, shape_.hidden);
    for (std::int64_t block = column / ColumnBlocks::kColumns; block * ColumnBlocks::kColumns < end; ++block) {
      up(count, block, memory, normal, hidden + (block * ColumnBlocks::kColumns - column) * operand, scratch);
    }
    for (std::int64_t block = 0; block < down_.blocks(); ++block) down(count, piece, block, memory, hidden, y, scratch);
  }
}

void TileMlp::run_by_columns(const Member& member, const Memory& memory, std::byte* own) const {
  std::byte *normal = own, *scratch = normal + normal_bytes_, *hidden = memory.scratch;
  const auto operand = static_cast<std::int64_t>(size_of(settings_.compute));
  // Every member normalises all rows for itself; y is begun by one, before the barrier that the others' sums wait at.
  begin(0, shape_.rows, memory, normal, member.index() == 0);
  const Member::Part units = member.part(up_.blocks());
  for (std::int64_t block = units.begin; block < units.end; ++block) {
    up(shape_.rows, block, memory, normal, hidden + block * ColumnBlocks::kColumns * operand, scratch);
  }
  member.barrier();
  const Member::Part columns = member.part(down_.blocks());
  for (std::int64_t block = columns.begin; block < columns.end; ++block) {
    for (std::int64_t piece = 0; piece < chunks(); ++piece) {
      down(shape_.rows, piece, block, memory, hidden + piece * chunk_ * operand, memory.y, scratch);
    }
  }
}

void TileMlp::run(const Member& member, const Memory& memory) const {
  std::byte* own = memory.scratch + shared_bytes_ + static_cast<std::size_t>(member.index()) * member_bytes_;
  if (by_columns_) return run_by_columns(member, memory, own);
  bands_.each(member, [&](std::int64_t first, std::int64_t count) { run_band(first, count, memory, own); });
}

}  // namespace edgelab::kernels
