#include "data/rand_augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace edgelab::data {
namespace {

using Scratch = std::vector<std::uint8_t>;
using Table = std::array<std::uint8_t, 256>;  // a byte's new value

// As torchvision's _blend: 1 + change of one value, -change of another, in float, cut off, not rounded. (CMakeLists.txt
// forbids the compiler to fuse the product and the sum: whole numbers must come out whole on every machine.)
class Blend {
 public:
  explicit Blend(double change)
      : ratio_(static_cast<float>(1.0 + change)), rest_(static_cast<float>(1.0 - (1.0 + change))) {}
  std::uint8_t operator()(float value, float other) const {
    return static_cast<std::uint8_t>(std::clamp(ratio_ * value + rest_ * other, 0.0f, 255.0f));
  }

 private:
  float ratio_, rest_;
};

template <class Function>
Table table_of(const Function& function) {
  Table table;
  for (int value = 0; value < 256; ++value) table[static_cast<std::size_t>(value)] = function(value);
  return table;
}

void replace(std::span<std::uint8_t> bytes, const Table& table) {
  for (std::uint8_t& byte : bytes) byte = table[byte];
}

std::array<std::int64_t, 256> histogram(std::span<const std::uint8_t> bytes) {
  std::array<std::int64_t, 256> counts{};
  for (const std::uint8_t byte : bytes) ++counts[byte];
  return counts;
}

// ITU-R 601-2 luma, cut off to whole numbers.
std::uint8_t grey(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return static_cast<std::uint8_t>(0.2989f * static_cast<float>(red) + 0.587f * static_cast<float>(green) +
                                   0.114f * static_cast<float>(blue));
}

template <class Use>
void for_each_grey(Pixels& image, const Use& use) {
  const auto red = image.channel(0), green = image.channel(1), blue = image.channel(2);
  for (std::size_t i = 0; i < red.size(); ++i) use(i, grey(red[i], green[i], blue[i]));
}

// output[y, x] = input at the pixel nearest to source(x, y), centres counted from 0; black outside. In double, so that
// machines agree: torchvision's float differs where a point lies halfway between two pixels, and there alone.
template <class Map>
void warp(Pixels& image, const Map& source, Scratch& scratch) {
  constexpr std::int64_t kAbove = 1 << 20;  // makes all that is cut off positive
  scratch.assign(image.bytes.size(), 0);
  const std::size_t plane = image.plane();
  std::size_t to = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, ++to) {
      const auto [from_x, from_y] = source(static_cast<double>(x), static_cast<double>(y));
      const std::int64_t column = static_cast<std::int64_t>(from_x + 0.5 + kAbove) - kAbove;
      const std::int64_t row = static_cast<std::int64_t>(from_y + 0.5 + kAbove) - kAbove;
      if (column < 0 || column >= image.width || row < 0 || row >= image.height) continue;
      const auto from = static_cast<std::size_t>(row * image.width + column);
      for (std::size_t c = 0; c < kChannels; ++c) scratch[c * plane + to] = image.bytes[c * plane + from];
    }
  }
  image.bytes.swap(scratch);
}

struct Point {
  double x, y;
};

void identity(Pixels&, double, Scratch&) {}

// About the upper left corner, as AutoAugment's reference does.
void shear_x(Pixels& image, double slope, Scratch& scratch) {
  warp(image, [=](double x, double y) { return Point{x + slope * (y + 0.5), y}; }, scratch);
}

void shear_y(Pixels& image, double slope, Scratch& scratch) {
  warp(image, [=](double x, double y) { return Point{x, y + slope * (x + 0.5)}; }, scratch);
}

void translate_x(Pixels& image, double pixels, Scratch& scratch) {
  warp(image, [by = std::trunc(pixels)](double x, double y) { return Point{x - by, y}; }, scratch);
}

void translate_y(Pixels& image, double pixels, Scratch& scratch) {
  warp(image, [by = std::trunc(pixels)](double x, double y) { return Point{x, y - by}; }, scratch);
}

// Anticlockwise, about the middle.
void rotate(Pixels& image, double degrees, Scratch& scratch) {
  const double angle = degrees * std::numbers::pi / 180.0, cosine = std::cos(angle), sine = std::sin(angle);
  const double middle_x = image.width * 0.5 - 0.5, middle_y = image.height * 0.5 - 0.5;
  const auto source = [=](double x, double y) {
    const double right = x - middle_x, down = y - middle_y;
    return Point{cosine * right - sine * down + middle_x, sine * right + cosine * down + middle_y};
  };
  warp(image, source, scratch);
}

void brightness(Pixels& image, double change, Scratch&) {
  const Blend blend(change);
  replace(image.bytes, table_of([&](int value) { return blend(static_cast<float>(value), 0.0f); }));
}

void color(Pixels& image, double change, Scratch& scratch) {
  const Blend blend(change);
  scratch.resize(image.plane());
  for_each_grey(image, [&](std::size_t i, std::uint8_t value) { scratch[i] = value; });
  for (int c = 0; c < kChannels; ++c) {
    const auto channel = image.channel(c);
    for (std::size_t i = 0; i < channel.size(); ++i)
      channel[i] = blend(static_cast<float>(channel[i]), static_cast<float>(scratch[i]));
  }
}

void contrast(Pixels& image, double change, Scratch&) {
  const Blend blend(change);
  std::int64_t sum = 0;
  for_each_grey(image, [&](std::size_t, std::uint8_t value) { sum += value; });
  const float mean = static_cast<float>(sum) / static_cast<float>(image.plane());
  replace(image.bytes, table_of([&](int value) { return blend(static_cast<float>(value), mean); }));
}

// Blends with an image smoothed by [1 1 1; 1 5 1; 1 1 1] / 13; the border, which has no neighbours, stays.
void sharpness(Pixels& image, double change, Scratch& scratch) {
  if (image.width <= 2 || image.height <= 2) return;
  const Blend blend(change);
  const std::ptrdiff_t width = image.width;
  scratch = image.bytes;
  for (int c = 0; c < kChannels; ++c) {
    for (int y = 1; y + 1 < image.height; ++y) {
      const std::ptrdiff_t row = (static_cast<std::ptrdiff_t>(c) * image.height + y) * width;
      for (int x = 1; x + 1 < image.width; ++x) {
        const std::uint8_t* at = image.bytes.data() + row + x;
        int sum = 4 * at[0];
        for (int down = -1; down <= 1; ++down) {
          for (int right = -1; right <= 1; ++right) sum += at[down * width + right];
        }
        const int smooth = (2 * sum + 13) / 26;  // sum / 13 rounded; a thirteenth never ends in a half
        scratch[static_cast<std::size_t>(row + x)] =
            blend(static_cast<float>(at[0]), static_cast<float>(smooth));
      }
    }
  }
  // The border is blended with itself.
  const auto itself = table_of([&](int v) { return blend(static_cast<float>(v), static_cast<float>(v)); });
  for (std::size_t c = 0; c < kChannels; ++c) {
    std::uint8_t* plane = scratch.data() + c * image.plane();
    const std::size_t columns = static_cast<std::size_t>(image.width), rows = static_cast<std::size_t>(image.height);
    replace({plane, columns}, itself);
    replace({plane + (rows - 1) * columns, columns}, itself);
    for (std::size_t y = 1; y + 1 < rows; ++y) {
      plane[y * columns] = itself[plane[y * columns]];
      plane[y * columns + columns - 1] = itself[plane[y * columns + columns - 1]];
    }
  }
  image.bytes.swap(scratch);
}

void posterize(Pixels& image, double bits, Scratch&) {
  const int mask = 0xFF & ~((1 << (8 - static_cast<int>(bits))) - 1);
  for (std::uint8_t& byte : image.bytes) byte = static_cast<std::uint8_t>(byte & mask);
}

void solarize(Pixels& image, double threshold, Scratch&) {
  replace(image.bytes, table_of([&](int value) {
            return static_cast<std::uint8_t>(static_cast<float>(value) >= static_cast<float>(threshold) ? 255 - value : value);
          }));
}

void autocontrast(Pixels& image, double, Scratch&) {
  for (int c = 0; c < kChannels; ++c) {
    const auto channel = image.channel(c);
    const auto [lowest, highest] = std::ranges::minmax(channel);
    if (lowest == highest) continue;
    const float low = lowest, scale = 255.0f / (static_cast<float>(highest) - low);
    replace(channel, table_of([&](int value) {
              return static_cast<std::uint8_t>(std::clamp((static_cast<float>(value) - low) * scale, 0.0f, 255.0f));
            }));
  }
}

void equalize(Pixels& image, double, Scratch&) {
  for (int c = 0; c < kChannels; ++c) {
    const auto channel = image.channel(c);
    const auto counts = histogram(channel);
    const auto last = std::find_if(counts.rbegin(), counts.rend(), [](std::int64_t count) { return count != 0; });
    const std::int64_t step = (static_cast<std::int64_t>(channel.size()) - *last) / 255;
    if (step == 0) continue;
    std::int64_t below = 0;  // samples darker than `value`
    replace(channel, table_of([&](int value) {
              const std::int64_t level = value == 0 ? 0 : (below + step / 2) / step;
              below += counts[static_cast<std::size_t>(value)];
              return static_cast<std::uint8_t>(std::min<std::int64_t>(level, 255));
            }));
  }
}

// As torch.linspace(start, end, kMagnitudes)[level], which is in float, for the lower half of the levels.
double spaced(float start, float end, int level) {
  return start + (end - start) / static_cast<float>(kMagnitudes - 1) * static_cast<float>(level);
}

double up_to_shear(int level, int, int) { return spaced(0.0f, 0.3f, level); }
double up_to_width(int level, int, int width) { return spaced(0.0f, static_cast<float>(150.0 / 331.0 * width), level); }
double up_to_height(int level, int height, int) { return spaced(0.0f, static_cast<float>(150.0 / 331.0 * height), level); }
double up_to_angle(int level, int, int) { return spaced(0.0f, 30.0f, level); }
double up_to_change(int level, int, int) { return spaced(0.0f, 0.9f, level); }
double down_to_bits(int level, int, int) { return 8.0 - std::nearbyint(level / ((kMagnitudes - 1) / 4.0)); }
double down_to_threshold(int level, int, int) { return spaced(255.0f, 0.0f, level); }

}  // namespace

std::span<const ImageOp> image_ops() {
  static constexpr ImageOp kOps[] = {
      {"identity", nullptr, false, identity},           {"shear_x", up_to_shear, true, shear_x},
      {"shear_y", up_to_shear, true, shear_y},          {"translate_x", up_to_width, true, translate_x},
      {"translate_y", up_to_height, true, translate_y}, {"rotate", up_to_angle, true, rotate},
      {"brightness", up_to_change, true, brightness},   {"color", up_to_change, true, color},
      {"contrast", up_to_change, true, contrast},       {"sharpness", up_to_change, true, sharpness},
      {"posterize", down_to_bits, false, posterize},    {"solarize", down_to_threshold, false, solarize},
      {"autocontrast", nullptr, false, autocontrast},   {"equalize", nullptr, false, equalize},
  };
  return kOps;
}

void rand_augment(Pixels& image, CounterRandom& random, std::vector<std::uint8_t>& scratch) {
  const auto ops = image_ops();
  for (int i = 0; i < kRandAugmentOps; ++i) {
    const ImageOp& op = ops[random.below(ops.size())];
    double magnitude = op.magnitude == nullptr ? 0.0 : op.magnitude(kRandAugmentLevel, image.height, image.width);
    if (op.is_signed && random.below(2) == 1) magnitude = -magnitude;
    op.apply(image, magnitude, scratch);
  }
}

}  // namespace edgelab::data
