#include "data/shapes10.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/hash.hpp"
#include "core/random.hpp"

// Everything is computed in double and rounded to 8 bits at the end: where two machines' sin differ in the last bit, the
// pixels still agree.
namespace edgelab::data {
namespace {

struct Point {
  double x, y;
};

double length(Point p) { return std::hypot(p.x, p.y); }

// Signed distances to outlines of radius 1 about the origin: negative inside. Exact ones are Quilez's formulas
// (https://iquilezles.org/articles/distfunctions2d/); a difference or union is exact enough near its edge.
double box(Point p, double half_width, double half_height) {
  const double x = std::abs(p.x) - half_width, y = std::abs(p.y) - half_height;
  return length({std::max(x, 0.0), std::max(y, 0.0)}) + std::min(std::max(x, y), 0.0);
}

// A star whose tips lie at radius 1 and whose notches at radius `inner`; with `inner` = cos(pi / points) it is the
// regular polygon. Measured to the line of the nearest edge, which near the tips is as good.
double star(Point p, int points, double inner) {
  const double sector = 2.0 * std::numbers::pi / points;
  double angle = std::atan2(p.y, p.x);
  angle = std::abs(angle - sector * std::round(angle / sector));
  const double radius = length(p);
  const Point edge{inner * std::cos(sector / 2) - 1.0, inner * std::sin(sector / 2)};
  const Point from_tip{radius * std::cos(angle) - 1.0, radius * std::sin(angle)};
  return (from_tip.x * edge.y - from_tip.y * edge.x) / length(edge);
}

double distance_to(int label, Point p) {
  switch (label) {
    case 0: return length(p) - 0.85;                                                                 // disk
    case 1: return std::abs(length(p) - 0.72) - 0.2;                                                 // ring
    case 2: return box(p, 0.74, 0.74);                                                               // square
    case 3: return std::abs(box(p, 0.58, 0.58)) - 0.19;                                              // frame
    case 4: return star(p, 3, 0.5);                                                                  // triangle
    case 5: return std::min(box(p, 0.95, 0.26), box(p, 0.26, 0.95));                                 // cross
    case 6: return star(p, 5, 0.44);                                                                 // star
    case 7: return std::max(length(p) - 0.9, 0.68 - length({p.x - 0.45, p.y}));                      // crescent
    case 8: return std::min(box({p.x, p.y - 0.52}, 0.9, 0.24), box({p.x, p.y + 0.52}, 0.9, 0.24));   // bars
    default: return std::min(box({p.x + 0.5, p.y}, 0.26, 0.85), box({p.x, p.y + 0.6}, 0.76, 0.26));  // corner
  }
}

using Colour = std::array<double, 3>;

// Red, green and blue about a given luma, each channel shifted at random.
Colour colour_of(CounterRandom& random, double luma) {
  Colour colour{};
  for (double& channel : colour) channel = random.uniform(-0.18f, 0.18f);
  const double shift = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
  for (double& channel : colour) channel += luma - shift;
  return colour;
}

// Plain, stripes or checks, of any direction and period.
struct Texture {
  int kind;
  double amplitude, wave_x, wave_y, phase;

  explicit Texture(CounterRandom& random) : kind(static_cast<int>(random.below(3))) {
    amplitude = random.uniform(0.02f, 0.09f);
    const double angle = random.uniform(0.0f, static_cast<float>(std::numbers::pi));
    const double wave = 2.0 * std::numbers::pi / random.uniform(2.5f, 8.0f);
    wave_x = wave * std::cos(angle);
    wave_y = wave * std::sin(angle);
    phase = random.uniform(0.0f, 6.2831f);
  }
  double at(int x, int y) const {
    if (kind == 0) return 0.0;
    const double along = std::sin(wave_x * x + wave_y * y + phase);
    return amplitude * (kind == 1 ? along : along * std::sin(wave_x * y - wave_y * x + phase));
  }
};

// Largest rotation, radians.
constexpr float kTurn = 0.75f;

// Everything random about one image but the noise.
struct Scene {
  double centre_x, centre_y, radius, cosine, sine, mirror;
  Colour figure_colour, ground_colour;
  Texture figure, ground;

  static Scene draw(CounterRandom& random) {
    const double radius = random.uniform(8.0f, 13.5f);
    const double slack = kShapesSide / 2.0 - radius;
    const double x = kShapesSide / 2.0 + slack * random.uniform(-1.0f, 1.0f);
    const double y = kShapesSide / 2.0 + slack * random.uniform(-1.0f, 1.0f);
    const double turn = random.uniform(-kTurn, kTurn);
    const double mirror = random.below(2) == 0 ? 1.0 : -1.0;
    const double contrast = random.uniform(0.26f, 0.55f) * (random.below(2) == 0 ? 1.0 : -1.0);
    const double middle = random.uniform(0.38f, 0.62f);
    const Colour figure_colour = colour_of(random, middle + contrast / 2);
    const Colour ground_colour = colour_of(random, middle - contrast / 2);
    const Texture figure(random), ground(random);
    return {x, y, radius, std::cos(turn), std::sin(turn), mirror, figure_colour, ground_colour, figure, ground};
  }

  // How much of the pixel the figure covers: an edge one pixel wide.
  double cover(int label, int x, int y) const {
    const double dx = (x + 0.5 - centre_x) / radius, dy = mirror * (y + 0.5 - centre_y) / radius;
    const double distance = radius * distance_to(label, {cosine * dx + sine * dy, cosine * dy - sine * dx});
    return std::clamp(0.5 - distance, 0.0, 1.0);
  }
};

// The sum of four uniforms, near enough normal here and a tenth of Box-Muller's time: one draw, no logarithm.
double noise(CounterRandom& random) {
  const std::uint64_t bits = random.next_bits();
  const std::uint64_t sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
  return (static_cast<double>(sum) / 65535.0 - 2.0) * std::numbers::sqrt3;
}

std::uint64_t stream_of(std::uint64_t seed, Split split) {
  return stream_key(seed, split == Split::train ? "shapes10/train" : "shapes10/test");
}

}  // namespace

const std::vector<std::string>& shapes10_names() {
  static const std::vector<std::string> names = {"disk",  "ring", "square",   "frame", "triangle",
                                                 "cross", "star", "crescent", "bars",  "corner"};
  return names;
}

int shapes10_label(std::uint64_t seed, Split split, std::int64_t index) {
  std::array<int, kShapesClasses> order{};
  for (int i = 0; i < kShapesClasses; ++i) order[static_cast<std::size_t>(i)] = i;
  const auto block = static_cast<std::uint64_t>(index / kShapesClasses);
  CounterRandom random(stream_key(stream_of(seed, split) + block, "labels"));
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  return order[static_cast<std::size_t>(index % kShapesClasses)];
}

void draw_shape(std::uint64_t seed, Split split, std::int64_t index, std::span<std::uint8_t, kShapesBytes> pixels) {
  const int label = shapes10_label(seed, split, index);
  CounterRandom random(stream_key(stream_of(seed, split) + static_cast<std::uint64_t>(index), "pixels"));
  const Scene scene = Scene::draw(random);
  const double deviation = random.uniform(0.02f, 0.06f);
  for (int y = 0; y < kShapesSide; ++y) {
    for (int x = 0; x < kShapesSide; ++x) {
      const double cover = scene.cover(label, x, y);
      const double figure = scene.figure.at(x, y), ground = scene.ground.at(x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        const double value =
            cover * (scene.figure_colour[c] + figure) + (1.0 - cover) * (scene.ground_colour[c] + ground);
        const double level = std::clamp(255.0 * (value + deviation * noise(random)), 0.0, 255.0);
        pixels[c * kShapesSide * kShapesSide + static_cast<std::size_t>(y * kShapesSide + x)] =
            static_cast<std::uint8_t>(std::lround(level));
      }
    }
  }
}

std::string shapes10_hash(std::uint64_t seed, Split split) {
  return sha256_of_text("shapes10 version 1 seed " + std::to_string(seed) + " split " + std::string(name_of(split)));
}

}  // namespace edgelab::data
