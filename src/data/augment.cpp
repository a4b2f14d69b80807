#include "data/augment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.hpp"
#include "data/rand_augment.hpp"

namespace edgelab::data {
namespace {

struct NamedFlag {
  const char* name;
  bool Augmentations::*flag;
};

constexpr NamedFlag kFlags[] = {{"crop", &Augmentations::crop},
                                {"flip", &Augmentations::flip},
                                {"randaugment", &Augmentations::randaugment},
                                {"mixup", &Augmentations::mixup},
                                {"cutmix", &Augmentations::cutmix}};

// How far the image moves on one axis: evenly in [-pad, pad].
int draw_offset(int side, CounterRandom& random) {
  const int pad = side / 8;
  return static_cast<int>(random.below(static_cast<std::uint64_t>(2 * pad) + 1)) - pad;
}

// output[y, x] = input[y + down, x + right], mirrored afterwards if asked; black where there is no input.
void move(const Image& image, int down, int right, bool mirror, Pixels& output) {
  const int height = image.height, width = image.width;
  output.height = height;
  output.width = width;
  output.bytes.assign(image.pixels.size(), 0);
  const int first = std::max(0, -right), last = std::min(width, width - right);
  for (int c = 0; c < kChannels; ++c) {
    for (int y = std::max(0, -down); y < std::min(height, height - down); ++y) {
      const std::uint8_t* from = image.pixels.data() + (static_cast<std::ptrdiff_t>(c) * height + y + down) * width + right;
      std::uint8_t* to = output.bytes.data() + (static_cast<std::ptrdiff_t>(c) * height + y) * width;
      if (mirror) {
        std::reverse_copy(from + first, from + last, to + width - last);
      } else {
        std::copy(from + first, from + last, to + first);
      }
    }
  }
}

}  // namespace

const std::vector<std::string>& augmentation_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const NamedFlag& each : kFlags) all.emplace_back(each.name);
    return all;
  }();
  return names;
}

Augmentations augmentations_named(const std::vector<std::string>& names) {
  Augmentations wanted;
  for (const std::string& name : names) {
    const auto* found = std::ranges::find(kFlags, name, &NamedFlag::name);
    if (found == std::end(kFlags)) {
      throw Error(ErrorKind::usage, "there is no augmentation of this name")
          .got(fmt::format("'{}'", name))
          .expected(fmt::format("{}", fmt::join(augmentation_names(), ", ")));
    }
    wanted.*found->flag = true;
  }
  return wanted;
}

Image ImageAugmenter::operator()(const Image& image, CounterRandom random) {
  if (!wanted_.any_of_image()) return image;
  const int down = wanted_.crop ? draw_offset(image.height, random) : 0;
  const int right = wanted_.crop ? draw_offset(image.width, random) : 0;
  move(image, down, right, wanted_.flip && random.below(2) == 1, pixels_);
  if (wanted_.randaugment) rand_augment(pixels_, random, scratch_);
  return pixels_.view();
}

}  // namespace edgelab::data
