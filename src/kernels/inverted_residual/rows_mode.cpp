#include "kernels/conv2d/depthwise_row.hpp"
#include "kernels/image_rows.hpp"
#include "kernels/inverted_residual/tile_block.hpp"

namespace edgelab::kernels::inverted_residual {
namespace {

// Output rows of one image, by one member.
class Band {
 public:
  Band(const Block& block, const Run& run, const MemberScratch& scratch, std::int64_t image)
      : block_(block),
        size_(block.size),
        scratch_(scratch),
        x_(run.x + image * size_.image),
        y_(run.y + image * size_.pixels_out() * size_.channels_out) {}

  void run(std::int64_t begin, std::int64_t end) const {
    if (block_.first) block_.first->clear(scratch_.first);
    each_row(
        size_, begin, end, [this](std::int64_t row) { expand(row); },
        [this](std::int64_t i) {
          filter(i);
          project(i);
        });
  }

 private:
  float* expanded_row(std::int64_t row) const { return scratch_.expanded + row % kRing * size_.width * size_.hidden; }
  const float* x_row(std::int64_t row) const { return x_ + row * size_.width * size_.channels; }

  void expand(std::int64_t row) const {
    tile_gemm::Arguments arguments;
    arguments.packed_b = block_.expand_packed.data();
    arguments.bias = block_.expand_bias.as<float>().data();
    arguments.c = expanded_row(row);
    if (block_.first) return block_.first->row(x_, row, scratch_.first, arguments);
    arguments.a = operands_of(block_, x_row(row), size_.width * size_.channels, scratch_.x);
    arguments.scratch = scratch_.product;
    block_.expand.run(0, 0, arguments);
  }

  void filter(std::int64_t i) const {
    DepthwiseRow row;
    for (std::int64_t u = 0; u < 3; ++u) {
      const std::int64_t at = i * size_.stride + u - 1;
      if (at >= 0 && at < size_.height) row.rows[static_cast<std::size_t>(u)] = size_.expand ? expanded_row(at) : x_row(at);
    }
    row.pixel = row.channels = row.weights_ld = row.out_pixel = size_.hidden;
    row.width = size_.width;
    row.stride = size_.stride;
    row.weights = block_.depthwise.as<float>().data();
    row.bias = block_.depthwise_bias.as<float>().data();
    row.activation = ActivationKind::relu6;
    row.out = scratch_.hidden;
    row.out_type = block_.operands;
    depthwise_row(row);
  }

  void project(std::int64_t i) const {
    tile_gemm::Arguments arguments;
    arguments.a = scratch_.hidden;
    arguments.packed_b = block_.project_packed.data();
    arguments.bias = block_.project_bias.as<float>().data();
    arguments.residual = size_.residual ? x_row(i) : nullptr;
    arguments.c = y_ + i * size_.width_out * size_.channels_out;
    arguments.scratch = scratch_.product;
    block_.project.run(0, 0, arguments);
  }

  const Block& block_;
  const Dimensions& size_;
  const MemberScratch& scratch_;
  const float* x_;
  float* y_;
};

}  // namespace

void run_rows(const Block& block, const Run& run, const Member& member) {
  const MemberScratch scratch(block, run, member);
  const std::int64_t rows = block.size.height_out;
  each_image(member.part(block.size.batch * rows), rows,
             [&](std::int64_t image, std::int64_t first, std::int64_t last) { Band(block, run, scratch, image).run(first, last); });
}

}  // namespace edgelab::kernels::inverted_residual
