#include <algorithm>

#include "kernels/quantized_inverted_residual/byte_block.hpp"

namespace edgelab::kernels::quantized_inverted_residual {
namespace {

// One image, whose d lies in `hidden`.
class Image {
 public:
  Image(const Block& block, const Run& run, const MemberScratch& scratch, std::uint8_t* hidden, std::int64_t image)
      : block_(block),
        size_(block.size),
        scratch_(scratch),
        x_(reinterpret_cast<const std::uint8_t*>(run.x) + image * size_.image),
        y_(run.y + image * size_.pixels_out() * size_.channels_out),
        hidden_(hidden) {}

  // e and d of some chunks of the hidden channels.
  void expand_and_filter(Member::Part chunks) const {
    for (std::int64_t chunk = chunks.begin; chunk < chunks.end; ++chunk) {
      if (size_.expand) expand(chunk);
      filter(chunk);
    }
  }

  // A block of y: all of d must be there.
  void project(std::int64_t rows, std::int64_t columns) const {
    const std::int64_t first_row = block_.project.rows().begin(rows), out = first_row * size_.channels_out + block_.project.columns().begin(columns);
    tile_gemm::Arguments arguments;
    block_.project_pack.fill(arguments);
    arguments.a = hidden_ + first_row * size_.hidden;
    arguments.residual = size_.residual ? x_ + out : nullptr;
    arguments.c = y_ + out;
    arguments.scratch = scratch_.product;
    block_.project.run(rows, columns, arguments);
  }

 private:
  void expand(std::int64_t chunk) const {
    tile_gemm::Arguments arguments;
    block_.expand_pack.fill(arguments);
    arguments.a = x_;
    arguments.c = scratch_.expanded;
    arguments.scratch = scratch_.product;
    block_.expand.run(0, chunk, arguments);
  }

  void filter(std::int64_t chunk) const {
    const tile_gemm::Blocks& chunks = block_.expand.columns();
    ByteDepthwiseRow row = depthwise_row_of(block_);
    row.first = chunks.begin(chunk);
    row.channels = chunks.extent(chunk);
    row.pixel = size_.expand ? chunks.size : size_.hidden;
    row.out_pixel = size_.hidden;
    const std::uint8_t* image = size_.expand ? scratch_.expanded : x_ + row.first;
    for (std::int64_t i = 0; i < size_.height_out; ++i) {
      for (std::int64_t u = 0; u < 3; ++u) {
        const std::int64_t at = i * size_.stride + u - 1;
        row.rows[static_cast<std::size_t>(u)] = at >= 0 && at < size_.height ? image + at * size_.width * row.pixel : nullptr;
      }
      row.out = hidden_ + i * size_.width_out * size_.hidden + row.first;
      byte_depthwise_row(row);
    }
  }

  const Block& block_;
  const Dimensions& size_;
  const MemberScratch& scratch_;
  const std::uint8_t* x_;
  std::uint8_t *y_, *hidden_;
};

void project(const Block& block, const Image& image, Member::Part part) {
  const std::int64_t columns = block.project.columns().count();
  for (std::int64_t at = part.begin; at < part.end; ++at) image.project(at / columns, at % columns);
}

}  // namespace

// Whole images by each member, without a barrier; those that are left by all members together.
void run_channels(const Block& block, const Run& run, const Member& member) {
  const MemberScratch scratch(block, run, member);
  const std::int64_t batch = block.size.batch, whole = batch - batch % member.count();
  const std::int64_t chunks = block.expand.columns().count(), products = block.project.rows().count() * block.project.columns().count();
  const Member::Part mine = member.part(whole);
  for (std::int64_t at = mine.begin; at < mine.end; ++at) {
    const Image image(block, run, scratch, scratch.hidden, at);
    image.expand_and_filter({0, chunks});
    project(block, image, {0, products});
  }
  for (std::int64_t at = whole; at < batch; ++at) {
    if (at > whole) member.barrier();  // the image before still reads d
    const Image image(block, run, scratch, reinterpret_cast<std::uint8_t*>(run.scratch), at);
    image.expand_and_filter(member.part(chunks));
    member.barrier();
    project(block, image, member.part(products));
  }
}

}  // namespace edgelab::kernels::quantized_inverted_residual
