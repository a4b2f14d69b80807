#include <algorithm>

#include "kernels/conv2d/depthwise_row.hpp"
#include "kernels/inverted_residual/tile_block.hpp"

namespace edgelab::kernels::inverted_residual {
namespace {

struct Images {
  std::int64_t begin = 0, end = 0;
};

class Pass {
 public:
  Pass(const Block& block, const Run& run, const MemberScratch& scratch, std::byte* hidden)
      : block_(block), size_(block.size), run_(run), scratch_(scratch), hidden_(hidden) {}

  // e and d of some chunks of the hidden channels.
  void expand_and_filter(Images images, Member::Part chunks) const {
    const std::int64_t floats = size_.pixels() * size_.channels;
    const void* x = run_.x + images.begin * floats;
    if (size_.expand) x = operands_of(block_, run_.x + images.begin * floats, (images.end - images.begin) * floats, scratch_.x);
    for (std::int64_t chunk = chunks.begin; chunk < chunks.end; ++chunk) {
      for (std::int64_t image = 0; image < images.end - images.begin; ++image) {
        if (size_.expand) expand(static_cast<const std::byte*>(x) + static_cast<std::size_t>(image * floats) * block_.operand_size(), chunk);
        filter(run_.x + (images.begin + image) * floats, chunk, image);
      }
    }
  }

  // A block of y: all of d must be there.
  void project(std::int64_t image, std::int64_t place, std::int64_t rows, std::int64_t columns) const {
    const std::int64_t first_row = block_.project.rows().begin(rows), first_column = block_.project.columns().begin(columns);
    const std::int64_t out = (image * size_.pixels_out() + first_row) * size_.channels_out + first_column;
    tile_gemm::Arguments arguments;
    arguments.a = hidden_ + static_cast<std::size_t>((place * size_.pixels_out() + first_row) * size_.hidden) * block_.operand_size();
    arguments.packed_b = block_.project_packed.data();
    arguments.bias = block_.project_bias.as<float>().data();
    arguments.residual = size_.residual ? run_.x + out : nullptr;
    arguments.c = run_.y + out;
    arguments.scratch = scratch_.product;
    block_.project.run(rows, columns, arguments);
  }

 private:
  void expand(const void* x, std::int64_t chunk) const {
    tile_gemm::Arguments arguments;
    arguments.a = x;
    arguments.packed_b = block_.expand_packed.data();
    arguments.bias = block_.expand_bias.as<float>().data();
    arguments.c = scratch_.expanded;
    arguments.scratch = scratch_.product;
    block_.expand.run(0, chunk, arguments);
  }

  void filter(const float* x, std::int64_t chunk, std::int64_t image) const {
    const tile_gemm::Blocks& chunks = block_.expand.columns();
    const std::int64_t first = chunks.begin(chunk);
    DepthwiseRow row;
    row.pixel = size_.expand ? chunks.size : size_.hidden;
    row.width = size_.width;
    row.stride = size_.stride;
    row.channels = chunks.extent(chunk);
    row.weights = block_.depthwise.as<float>().data() + first;
    row.weights_ld = row.out_pixel = size_.hidden;
    row.bias = block_.depthwise_bias.as<float>().data() + first;
    row.activation = ActivationKind::relu6;
    row.out_type = block_.operands;
    for (std::int64_t i = 0; i < size_.height_out; ++i) {
      const std::int64_t out = (image * size_.pixels_out() + i * size_.width_out) * size_.hidden + first;
      row.rows = depthwise_rows(size_.expand ? scratch_.expanded : x + first, size_.height, size_.width * row.pixel, i, size_.stride);
      row.out = hidden_ + static_cast<std::size_t>(out) * block_.operand_size();
      depthwise_row(row);
    }
  }

  const Block& block_;
  const Dimensions& size_;
  const Run& run_;
  const MemberScratch& scratch_;
  std::byte* hidden_;
};

// Whole images, a group at a time, without a barrier. Columns outside: their weights are then read once a group.
void run_images(const Block& block, const Pass& pass, Member::Part part) {
  for (std::int64_t begin = part.begin; begin < part.end; begin += block.group) {
    const Images images{begin, std::min(part.end, begin + block.group)};
    pass.expand_and_filter(images, {0, block.expand.columns().count()});
    for (std::int64_t column = 0; column < block.project.columns().count(); ++column) {
      for (std::int64_t image = images.begin; image < images.end; ++image) {
        for (std::int64_t row = 0; row < block.project.rows().count(); ++row) pass.project(image, image - images.begin, row, column);
      }
    }
  }
}

// One image by all members together.
void run_split(const Block& block, const Pass& pass, const Member& member, std::int64_t image) {
  pass.expand_and_filter({image, image + 1}, member.part(block.expand.columns().count()));
  member.barrier();
  const std::int64_t columns = block.project.columns().count();
  const Member::Part part = member.part(block.project.rows().count() * columns);
  for (std::int64_t at = part.begin; at < part.end; ++at) pass.project(image, 0, at / columns, at % columns);
}

}  // namespace

void run_channels(const Block& block, const Run& run, const Member& member) {
  const MemberScratch scratch(block, run, member);
  const std::int64_t batch = block.size.batch, whole = batch - batch % member.count();
  run_images(block, Pass(block, run, scratch, scratch.hidden), member.part(whole));
  const Pass together(block, run, scratch, run.scratch + block.scratch.shared_hidden);
  for (std::int64_t image = whole; image < batch; ++image) {
    if (image > whole) member.barrier();  // the image before still reads d
    run_split(block, together, member, image);
  }
}

}  // namespace edgelab::kernels::inverted_residual
