// The files of a CIFAR split. First byte: which layout, which split, whether there is a names file; that one goes up to the
// first zero byte, and the rest is divided among the split's files.
#include "data/cifar.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "fuzz/memory_file.hpp"

namespace {

using namespace edgelab;
using Bytes = std::span<const std::uint8_t>;

std::vector<std::uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::optional<data::FileBytes> take_names(Bytes& bytes, bool wanted) {
  if (!wanted) return {};
  const auto length = static_cast<std::size_t>(std::find(bytes.begin(), bytes.end(), 0) - bytes.begin());
  data::FileBytes names{"names.txt", copy_of(bytes.first(length))};
  bytes = bytes.subspan(std::min(bytes.size(), length + 1));
  return names;
}

void check(const data::Source& source) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < source.labels.size(); ++i) {
    fuzz::require(source.labels[i] >= 0 && static_cast<std::size_t>(source.labels[i]) < source.class_names.size());
    const data::Image image = source.image(static_cast<std::int64_t>(i));
    fuzz::require(image.pixels.size() == data::CifarLayout::kPixelBytes);
    for (const std::uint8_t pixel : image.pixels) sum += pixel;
  }
  volatile unsigned seen = sum;
  static_cast<void>(seen);
  fuzz::require(source.hash({}).size() == 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Bytes bytes(data + 1, size - 1);
  const data::CifarLayout& layout = data[0] & 1 ? data::cifar100_layout() : data::cifar10_layout();
  const auto& names = layout.files(data[0] & 2 ? data::Split::train : data::Split::test);
  const auto class_names = take_names(bytes, (data[0] & 4) != 0);
  std::vector<data::FileBytes> files;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t length = bytes.size() / (names.size() - i);
    files.push_back({names[i], copy_of(bytes.first(length))});
    bytes = bytes.subspan(length);
  }
  try {
    check(data::cifar_source(layout, std::move(files), class_names));
  } catch (const Error&) {
  }
  return 0;
}
