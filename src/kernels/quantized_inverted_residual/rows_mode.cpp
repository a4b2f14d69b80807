#include "kernels/image_rows.hpp"
#include "kernels/quantized_inverted_residual/byte_block.hpp"

namespace edgelab::kernels::quantized_inverted_residual {
namespace {

// Output rows of one image, by one member.
class Band {
 public:
  Band(const Block& block, const Run& run, const MemberScratch& scratch, std::int64_t image)
      : block_(block), size_(block.size), scratch_(scratch), x_(run.x + image * size_.image), y_(run.y + image * size_.pixels_out() * size_.channels_out) {}

  void run(std::int64_t begin, std::int64_t end) const {
    inverted_residual::each_row(
        size_, begin, end, [this](std::int64_t row) { expand(row); },
        [this](std::int64_t i) {
          filter(i);
          project(i);
        });
  }

 private:
  std::uint8_t* expanded_row(std::int64_t row) const { return scratch_.expanded + row % kRing * size_.width * size_.hidden; }
  const std::uint8_t* x_row(std::int64_t row) const { return reinterpret_cast<const std::uint8_t*>(x_) + row * size_.width * size_.channels; }

  void expand(std::int64_t row) const {
    if (block_.first) return block_.first->row(reinterpret_cast<const float*>(x_), row, block_.expand_pack, scratch_.first, expanded_row(row));
    tile_gemm::Arguments arguments;
    block_.expand_pack.fill(arguments);
    arguments.a = x_row(row);
    arguments.c = expanded_row(row);
    arguments.scratch = scratch_.product;
    block_.expand.run(0, 0, arguments);
  }

  void filter(std::int64_t i) const {
    ByteDepthwiseRow row = depthwise_row_of(block_);
    for (std::int64_t u = 0; u < 3; ++u) {
      const std::int64_t at = i * size_.stride + u - 1;
      if (at >= 0 && at < size_.height) row.rows[static_cast<std::size_t>(u)] = size_.expand ? expanded_row(at) : x_row(at);
    }
    row.pixel = row.channels = row.out_pixel = size_.hidden;
    row.out = scratch_.hidden;
    byte_depthwise_row(row);
  }

  void project(std::int64_t i) const {
    tile_gemm::Arguments arguments;
    block_.project_pack.fill(arguments);
    arguments.a = scratch_.hidden;
    arguments.residual = size_.residual ? x_row(i) : nullptr;
    arguments.c = y_ + i * size_.width_out * size_.channels_out;
    arguments.scratch = scratch_.product;
    block_.project.run(0, 0, arguments);
  }

  const Block& block_;
  const Dimensions& size_;
  const MemberScratch& scratch_;
  const std::byte* x_;
  std::uint8_t* y_;
};

}  // namespace

void run_rows(const Block& block, const Run& run, const Member& member) {
  const MemberScratch scratch(block, run, member);
  const std::int64_t rows = block.size.height_out;
  each_image(member.part(block.size.batch * rows), rows,
             [&](std::int64_t image, std::int64_t first, std::int64_t last) { Band(block, run, scratch, image).run(first, last); });
}

}  // namespace edgelab::kernels::quantized_inverted_residual
