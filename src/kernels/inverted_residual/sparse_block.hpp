#pragma once

#include <vector>

#include "core/thread_team.hpp"
#include "kernels/conv2d/depthwise_plane.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/sparse/rows.hpp"

namespace edgelab::kernels::inverted_residual {

// An inverted residual whose 1×1 convolutions leave zeros out. x and y are channels last; in between pixels lie one behind the
// other for each channel, with zeros between rows (depthwise_plane.hpp), so that all three convolutions go along
// pixels. Some output rows at a time: their rows of x are turned; then, a few hidden channels at a time, the expansion's rows,
// which stay in L1, and the depthwise convolution's; then the projection, sixteen outputs at a time, turned back into y.
//
// By rows: each member takes output rows, some more rows are expanded twice where members or bands meet. By channels, where a
// small image is all there is: members share the hidden channels, and, behind a barrier, the outputs.
class SparseBlock {
 public:
  SparseBlock(const InvertedResidual& settings, const Shape& x, std::int64_t hidden, const Shape& y, int threads);

  void pack(const std::vector<Tensor>& constants, PackCache& packs);
  std::size_t packed_bytes() const { return expand_.bytes() + project_.bytes(); }
  std::size_t scratch_bytes() const { return shared_bytes_ + member_bytes_ * static_cast<std::size_t>(threads_); }
  bool by_channels() const { return by_channels_; }

  struct Run {
    const float* x = nullptr;
    float* y = nullptr;
    std::byte* scratch = nullptr;
  };
  void run(const Member& member, const Run& run) const;

 private:
  // Output rows begin … end − 1 of one image, and the rows of the plane that they read: `above` and what lies below the image are
  // rows of zeros.
  struct Band {
    std::int64_t image, begin, end;
    std::int64_t first, above, rows;  // of x: the first row that exists, rows of zeros before it, rows that exist
  };
  struct Scratch {
    float *x, *hidden;           // [C, x_points_], [E, hidden_points_]; shared where members share channels
    float *plane, *ceiling, *y;  // a member's own: [kMostBlock, plane_floats_], [x_points_], [kOutputs, hidden_points_]
    // The first row of plane i that the expansion writes: at the beginning of a cache line.
    float* plane_row = nullptr;
  };
  std::int64_t lead() const;
  void clear_gaps(float* row) const;
  Band band(std::int64_t image, std::int64_t begin, std::int64_t end) const;
  Scratch scratch(const Member& member, const Run& run) const;
  void turn_x(const Run& run, const Band& band, Member::Part channels, float* to) const;
  void clear(const Band& band, Scratch& scratch) const;
  void expand_and_filter(const Band& band, Member::Part blocks, const Scratch& scratch) const;
  void project(const Run& run, const Band& band, Member::Part groups, const Scratch& scratch) const;

  InvertedResidual settings_;
  std::int64_t batch_, channels_, height_, width_, hidden_, outputs_, height_out_, width_out_;
  int threads_;
  bool by_channels_;
  PlaneLayout layout_;
  std::int64_t pitch_, pitch_out_;
  std::int64_t band_rows_ = 0;
  std::int64_t x_points_ = 0, plane_floats_ = 0, hidden_points_ = 0;
  std::size_t shared_bytes_ = 0, member_bytes_ = 0;
  sparse::PackedWeight expand_, project_;
  Tensor expand_bias_, depthwise_, depthwise_bias_, project_bias_;
};

}  // namespace edgelab::kernels::inverted_residual
