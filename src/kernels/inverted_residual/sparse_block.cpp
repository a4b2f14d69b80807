#include "kernels/inverted_residual/sparse_block.hpp"

#include <algorithm>

#include "kernels/aligned.hpp"

namespace edgelab::kernels::inverted_residual {
namespace {

using sparse::whole_points;

// Output pixels up to which members share the channels of an image rather than its rows.
constexpr std::int64_t kMostPixelsByChannels = 14 * 14;
// Of L2, for the depthwise convolution's results of a band.
constexpr std::int64_t kHiddenBytes = 512 * 1024;
constexpr std::int64_t kOutputs = 16;   // turned at a time: a cache line of y
constexpr std::int64_t kMostBlock = 4;  // hidden channels at a time

std::size_t floats(std::int64_t count) { return aligned(static_cast<std::size_t>(count) * sizeof(float)); }

}  // namespace

SparseBlock::SparseBlock(const InvertedResidual& settings, const Shape& x, std::int64_t hidden, const Shape& y, int threads)
    : settings_(settings),
      batch_(x[0]), channels_(x[1]), height_(x[2]), width_(x[3]), hidden_(hidden), outputs_(y[1]), height_out_(y[2]), width_out_(y[3]),
      threads_(threads),
      by_channels_(threads > 1 && batch_ < threads && height_out_ * width_out_ <= kMostPixelsByChannels),
      layout_{width_, settings.stride}, pitch_(layout_.pitch()), pitch_out_(layout_.pitch_out()) {
  const std::int64_t fit = std::max<std::int64_t>(1, kHiddenBytes / 4 / (hidden_ * pitch_out_));
  const std::int64_t share = by_channels_ || batch_ >= threads ? height_out_ : (height_out_ + threads - 1) / threads;
  const std::int64_t bands = by_channels_ ? 1 : (share + fit - 1) / fit;
  band_rows_ = (share + bands - 1) / bands;
  const std::int64_t rows = std::min(height_, (band_rows_ - 1) * settings.stride + 3);
  x_points_ = whole_points(rows * pitch_);
  plane_floats_ = lead() + whole_points((rows + 1) * pitch_ + kPlaneSlack);
  hidden_points_ = whole_points(band_rows_ * pitch_out_ + kPlaneSlack);
  const std::size_t between = floats(channels_ * x_points_) + floats(hidden_ * hidden_points_);
  member_bytes_ = floats(kMostBlock * plane_floats_) + floats(x_points_) + floats(kOutputs * hidden_points_) + (by_channels_ ? 0 : between);
  shared_bytes_ = by_channels_ ? between : 0;
}

void SparseBlock::pack(const std::vector<Tensor>& constants, PackCache& packs) {
  expand_ = sparse::PackedWeight(constants[settings_.expand_input()], packs);
  expand_bias_ = constants[settings_.expand_input() + 1];
  depthwise_ = constants[settings_.depthwise_input()];
  depthwise_bias_ = constants[settings_.depthwise_input() + 1];
  project_ = sparse::PackedWeight(constants[settings_.project_input()], packs);
  project_bias_ = constants[settings_.project_input() + 1];
}

// Before a plane's first row: a row of zeros and one more zero, so that the first row begins a cache line.
std::int64_t SparseBlock::lead() const { return whole_points(pitch_ + 1); }

// The zeros between the columns of a row.
void SparseBlock::clear_gaps(float* row) const {
  if (settings_.stride == 2) row[layout_.width_out()] = 0.0f;
  if (settings_.stride == 1 || width_ % 2 == 1) row[pitch_ - 1] = 0.0f;
}

SparseBlock::Band SparseBlock::band(std::int64_t image, std::int64_t begin, std::int64_t end) const {
  const std::int64_t above = begin * settings_.stride - 1, last = (end - 1) * settings_.stride + 1;
  const std::int64_t first = std::max<std::int64_t>(0, above);
  return {image, begin, end, first, first - above, std::min(height_ - 1, last) - first + 1};
}

SparseBlock::Scratch SparseBlock::scratch(const Member& member, const Run& run) const {
  std::byte* own = run.scratch + shared_bytes_ + static_cast<std::size_t>(member.index()) * member_bytes_;
  const auto take = [](std::byte*& from, std::int64_t count) {
    auto* begin = reinterpret_cast<float*>(from);
    from += floats(count);
    return begin;
  };
  Scratch scratch;
  scratch.plane = take(own, kMostBlock * plane_floats_);
  scratch.ceiling = take(own, x_points_);
  scratch.y = take(own, kOutputs * hidden_points_);
  std::byte* between = by_channels_ ? run.scratch : own;
  scratch.x = take(between, channels_ * x_points_);
  scratch.hidden = take(between, hidden_ * hidden_points_);
  return scratch;
}

void SparseBlock::turn_x(const Run& run, const Band& band, Member::Part channels, float* to) const {
  const std::int64_t stride = settings_.stride, row_floats = width_ * channels_;
  const float* image = run.x + (band.image * height_ + band.first) * row_floats + channels.begin;
  float* points = to + channels.begin * x_points_;
  for (std::int64_t row = 0; row < band.rows; ++row) {
    const float* from = image + row * row_floats;
    float* row_to = points + row * pitch_;
    sparse::turn({from, stride * channels_, layout_.width_out(), channels.size(), row_to, x_points_, nullptr, 0});
    if (stride == 2) sparse::turn({from + channels_, stride * channels_, width_ / 2, channels.size(), row_to + layout_.odd(), x_points_, nullptr, 0});
  }
  for (std::int64_t c = 0; c < channels.size(); ++c, points += x_points_) {
    for (std::int64_t end = pitch_; end <= band.rows * pitch_; end += pitch_) clear_gaps(points + end - pitch_);
    std::fill(points + band.rows * pitch_, points + x_points_, 0.0f);
  }
}

// Rows outside the image and columns beside it are zero. The expansion doesn't write the first, and a bound of its own for each
// point keeps the others zero.
void SparseBlock::clear(const Band& band, Scratch& scratch) const {
  scratch.plane_row = scratch.plane + lead();
  std::fill(scratch.plane, scratch.plane + kMostBlock * plane_floats_, 0.0f);
  std::fill(scratch.ceiling, scratch.ceiling + band.rows * pitch_, 6.0f);
  std::fill(scratch.ceiling + band.rows * pitch_, scratch.ceiling + x_points_, 0.0f);
  for (std::int64_t row = 0; row < band.rows; ++row) clear_gaps(scratch.ceiling + row * pitch_);
}

void SparseBlock::expand_and_filter(const Band& band, Member::Part blocks, const Scratch& scratch) const {
  sparse::Rows rows;
  rows.x = scratch.x, rows.x_ld = x_points_, rows.points = band.rows * pitch_;
  rows.bias = expand_bias_.as<float>().data();
  rows.low = 0.0f, rows.ceiling = scratch.ceiling;
  rows.y = scratch.plane_row, rows.y_ld = plane_floats_;
  DepthwisePlane plane;
  plane.layout = layout_, plane.rows = band.end - band.begin;
  const float *weights = depthwise_.as<float>().data(), *bias = depthwise_bias_.as<float>().data();
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    sparse::multiply(expand_, block, block + 1, rows);
    const std::int64_t first = block * expand_.block(), count = std::min(expand_.block(), hidden_ - first);
    for (std::int64_t i = 0; i < count; ++i) {
      plane.x = scratch.plane_row + i * plane_floats_ - band.above * pitch_;
      plane.weights = weights + 9 * (first + i), plane.bias = bias[first + i];
      plane.out = scratch.hidden + (first + i) * hidden_points_;
      depthwise_plane(plane);
    }
  }
}

void SparseBlock::project(const Run& run, const Band& band, Member::Part groups, const Scratch& scratch) const {
  sparse::Rows rows;
  rows.x = scratch.hidden, rows.y = scratch.y, rows.x_ld = rows.y_ld = hidden_points_;
  rows.points = (band.end - band.begin) * pitch_out_;
  rows.bias = project_bias_.as<float>().data();
  const std::int64_t block = project_.block();
  for (std::int64_t group = groups.begin; group < groups.end; ++group) {
    const std::int64_t first = group * kOutputs, count = std::min(kOutputs, outputs_ - first);
    sparse::multiply(project_, first / block, (first + count + block - 1) / block, rows);
    for (std::int64_t row = band.begin; row < band.end; ++row) {
      const std::int64_t at = (band.image * height_out_ + row) * width_out_ * outputs_ + first;
      sparse::turn({scratch.y + (row - band.begin) * pitch_out_, hidden_points_, count, width_out_, run.y + at, outputs_,
                    settings_.has_residual ? run.x + at : nullptr, outputs_});
    }
  }
}

void SparseBlock::run(const Member& member, const Run& run) const {
  Scratch own = scratch(member, run);
  const std::int64_t groups = (outputs_ + kOutputs - 1) / kOutputs;
  if (by_channels_) {
    for (std::int64_t image = 0; image < batch_; ++image) {
      const Band whole = band(image, 0, height_out_);
      clear(whole, own);
      turn_x(run, whole, member.part(channels_, kOutputs), own.x);
      member.barrier();
      expand_and_filter(whole, member.part(expand_.blocks(), kOutputs / expand_.block()), own);
      member.barrier();
      project(run, whole, member.part(groups), own);
      if (image + 1 < batch_) member.barrier();  // others still read what the next image will overwrite
    }
    return;
  }
  const Member::Part part = member.part(batch_ * height_out_);
  for (std::int64_t at = part.begin; at < part.end;) {
    const std::int64_t image = at / height_out_, begin = at - image * height_out_;
    const std::int64_t end = std::min({begin + band_rows_, height_out_, begin + part.end - at});
    const Band rows = band(image, begin, end);
    clear(rows, own);
    turn_x(run, rows, {0, channels_}, own.x);
    expand_and_filter(rows, {0, expand_.blocks()}, own);
    project(run, rows, {0, groups}, own);
    at += end - begin;
  }
}

}  // namespace edgelab::kernels::inverted_residual
