#include "data/mixing.hpp"

#include <algorithm>
#include <cmath>

#include "data/image.hpp"

namespace edgelab::data {
namespace {

// In (0, 1): a power of it must not be 0 / 0.
double draw_inside(CounterRandom& random) {
  return (static_cast<double>(random.next_bits() >> 11) + 0.5) * 0x1p-53;
}

Mix draw_mixup(CounterRandom& random) {
  Mix mix{.kind = Mix::Kind::mixup};
  mix.share = static_cast<float>(draw_beta(kMixupAlpha, random));
  return mix;
}

// A box whose area is 1 - share about a centre drawn evenly; the share is then that of the pixels left.
Mix draw_cutmix(CounterRandom& random, int size) {
  Mix mix{.kind = Mix::Kind::cutmix};
  const int side = static_cast<int>(size * std::sqrt(1.0 - draw_beta(kCutmixAlpha, random)));
  const auto bound = static_cast<std::uint64_t>(size);
  const int y = static_cast<int>(random.below(bound)), x = static_cast<int>(random.below(bound));
  mix.top = std::max(y - side / 2, 0);
  mix.bottom = std::min(y + (side + 1) / 2, size);
  mix.left = std::max(x - side / 2, 0);
  mix.right = std::min(x + (side + 1) / 2, size);
  const double area = static_cast<double>(mix.bottom - mix.top) * (mix.right - mix.left);
  mix.share = static_cast<float>(1.0 - area / (static_cast<double>(size) * size));
  return mix;
}

}  // namespace

double draw_beta(double alpha, CounterRandom& random) {
  while (true) {
    const double x = std::pow(draw_inside(random), 1.0 / alpha), y = std::pow(draw_inside(random), 1.0 / alpha);
    if (x + y <= 1.0) return std::nearbyint(x / (x + y) * 0x1p20) * 0x1p-20;
  }
}

Mix draw_mix(const Augmentations& wanted, CounterRandom random, int size) {
  if (!wanted.any_mixing()) return {};
  const bool heads = random.below(2) == 1;
  return wanted.cutmix && (!wanted.mixup || heads) ? draw_cutmix(random, size) : draw_mixup(random);
}

void mix_images(const Mix& mix, int size, std::span<float> image, std::span<const float> partner) {
  if (mix.kind == Mix::Kind::mixup) {
    const float share = mix.share, rest = 1.0f - mix.share;
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = image[i] * share + partner[i] * rest;
  } else if (mix.kind == Mix::Kind::cutmix) {
    for (int c = 0; c < kChannels; ++c) {
      for (int y = mix.top; y < mix.bottom; ++y) {
        const std::ptrdiff_t row = (static_cast<std::ptrdiff_t>(c) * size + y) * size;
        std::copy(partner.begin() + row + mix.left, partner.begin() + row + mix.right, image.begin() + row + mix.left);
      }
    }
  }
}

void soft_target(const Mix& mix, std::int32_t label, std::int32_t partner_label, double smoothing, std::span<float> target) {
  const auto even = static_cast<float>(smoothing / static_cast<double>(target.size()));
  const auto peak = static_cast<float>(1.0 - smoothing);
  std::ranges::fill(target, even);
  target[static_cast<std::size_t>(label)] += peak * mix.share;
  target[static_cast<std::size_t>(partner_label)] += peak * (1.0f - mix.share);
}

}  // namespace edgelab::data
