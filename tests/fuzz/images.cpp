// A PNG or JPEG file.
#include "core/error.hpp"
#include "data/image_file.hpp"
#include "fuzz/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  try {
    const data::Image image = data::decode_image({data, size}, "fuzzed");
    fuzz::require(image.height > 0 && image.width > 0 && image.pixels.size() == 3u * image.height * image.width);
  } catch (const Error&) {
  }
  return 0;
}
