#include "kernels/sparse/product.hpp"

#include <algorithm>

#include "kernels/activation/activation_map.hpp"
#include "kernels/aligned.hpp"

namespace edgelab::kernels::sparse {
namespace {

// Outputs that are turned at a time: a cache line of y.
constexpr std::int64_t kOutputs = 16;
// Of L2, for a band of x.
constexpr std::int64_t kBandBytes = 256 * 1024;
// Rows a member below which sharing the outputs leaves less to the busiest than sharing bands does.
constexpr std::int64_t kFewRows = 128;

}  // namespace

Product::Product(const Settings& settings, int threads)
    : settings_(settings), threads_(threads), by_outputs_(settings.rows < kFewRows * threads) {
  const std::int64_t most = std::clamp<std::int64_t>(kBandBytes / 4 / settings.k, 32, 128);
  band_ = by_outputs_ ? settings.rows : most;
  points_ = whole_points(band_);
  turned_bytes_ = aligned(static_cast<std::size_t>(settings.k * points_) * sizeof(float));
  const std::size_t buffer = aligned(static_cast<std::size_t>(kOutputs * points_) * sizeof(float));
  shared_bytes_ = by_outputs_ ? turned_bytes_ : 0;
  member_bytes_ = (by_outputs_ ? 0 : turned_bytes_) + buffer;
}

// Groups of outputs part.begin … part.end − 1 of some rows.
void Product::outputs(const Memory& memory, const float* turned, std::int64_t first_row, std::int64_t rows, Member::Part part, float* buffer) const {
  const PackedWeight& weight = *memory.weight;
  Rows product;
  product.x = turned, product.x_ld = product.y_ld = points_, product.points = rows;
  product.bias = memory.bias, product.y = buffer;
  if (settings_.activation == ActivationKind::relu || settings_.activation == ActivationKind::relu6) product.low = 0.0f;
  if (settings_.activation == ActivationKind::relu6) product.high = 6.0f;
  for (std::int64_t group = part.begin; group < part.end; ++group) {
    const std::int64_t first = group * kOutputs, count = std::min(kOutputs, settings_.n - first);
    multiply(weight, first / weight.block(), (first + count + weight.block() - 1) / weight.block(), product);
    if (settings_.activation == ActivationKind::gelu) {
      for (std::int64_t n = 0; n < count; ++n) activate(ActivationKind::gelu, buffer + n * points_, buffer + n * points_, rows);
    }
    const std::int64_t at = first_row * settings_.n + first;
    turn({buffer, points_, count, rows, memory.y + at, settings_.n, memory.residual == nullptr ? nullptr : memory.residual + at, settings_.n});
  }
}

void Product::run(const Member& member, const Memory& memory) const {
  std::byte* own = memory.scratch + shared_bytes_ + static_cast<std::size_t>(member.index()) * member_bytes_;
  const std::int64_t groups = (settings_.n + kOutputs - 1) / kOutputs;
  if (by_outputs_) {
    auto* turned = reinterpret_cast<float*>(memory.scratch);
    const Member::Part columns = member.part(settings_.k, kOutputs);
    turn({memory.x + columns.begin, settings_.k, settings_.rows, columns.size(), turned + columns.begin * points_, points_, nullptr, 0});
    member.barrier();
    return outputs(memory, turned, 0, settings_.rows, member.part(groups), reinterpret_cast<float*>(own));
  }
  auto* turned = reinterpret_cast<float*>(own);
  auto* buffer = reinterpret_cast<float*>(own + turned_bytes_);
  const Member::Part bands = member.part((settings_.rows + band_ - 1) / band_);
  for (std::int64_t band = bands.begin; band < bands.end; ++band) {
    const std::int64_t first = band * band_, rows = std::min(band_, settings_.rows - first);
    turn({memory.x + first * settings_.k, settings_.k, rows, settings_.k, turned, points_, nullptr, 0});
    outputs(memory, turned, first, rows, {0, groups}, buffer);
  }
}

}  // namespace edgelab::kernels::sparse
