#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>

#include "data/image.hpp"
#include "data/image_decoders.hpp"

namespace edgelab::data {
namespace {

// A row takes at least one bit a pixel, and deflate expands no byte to more than 1,032.
constexpr std::int64_t kPixelsPerByte = 8 * 1032;

struct Input {
  std::span<const std::uint8_t> rest;
  char reason[120] = "";
};

void read_bytes(png_structp png, png_bytep destination, png_size_t count) {
  auto& input = *static_cast<Input*>(png_get_io_ptr(png));
  if (count > input.rest.size()) png_error(png, "the file is cut short");
  std::memcpy(destination, input.rest.data(), count);
  input.rest = input.rest.subspan(count);
}

[[noreturn]] void keep_reason(png_structp png, png_const_charp reason) {
  auto& input = *static_cast<Input*>(png_get_error_ptr(png));
  std::strncpy(input.reason, reason, sizeof input.reason - 1);
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

// libpng's own objects, and the place that its errors jump to.
class PngReader {
 public:
  explicit PngReader(const EncodedImage& image) : image_(image), input_{image.bytes} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input_, keep_reason, ignore_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  DecodedImage read() {
    guarded([](PngReader& reader) { reader.read_header(); });
    DecodedImage decoded{static_cast<int>(png_get_image_height(png_, info_)),
                         static_cast<int>(png_get_image_width(png_, info_)),
                         {}};
    check_extents(image_, decoded.width, decoded.height, kPixelsPerByte);
    guarded([](PngReader& reader) { reader.choose_rgb(); });
    if (png_get_rowbytes(png_, info_) != stride_of(decoded)) throw not_an_image(image_, "its rows can't be made RGB");
    decoded.pixels.resize(static_cast<std::size_t>(decoded.height) * stride_of(decoded));
    pixels_ = decoded.pixels.data();
    guarded([](PngReader& reader) { reader.read_rows(); });
    return decoded;
  }

 private:
  static std::size_t stride_of(const DecodedImage& decoded) { return static_cast<std::size_t>(decoded.width) * kChannels; }

  // An error of libpng jumps out of `step`, over frames that must therefore own nothing, and becomes an Error here.
  void guarded(void (*step)(PngReader&)) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw not_an_image(image_, input_.reason);
    step(*this);
  }

  void read_header() {
    png_set_read_fn(png_, &input_, read_bytes);
    // Texts, colour profiles and the like are passed over unread: they are the larger half of libpng's history of holes.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
  }

  void choose_rgb() {
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_rows() {
    const png_uint_32 height = png_get_image_height(png_, info_);
    const std::size_t stride = png_get_rowbytes(png_, info_);
    for (int pass = 0; pass < passes_; ++pass) {
      for (png_uint_32 row = 0; row < height; ++row) png_read_row(png_, pixels_ + row * stride, nullptr);
    }
  }

  const EncodedImage& image_;
  Input input_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  std::uint8_t* pixels_ = nullptr;
};

}  // namespace

DecodedImage decode_png(const EncodedImage& image) { return PngReader(image).read(); }

}  // namespace edgelab::data
