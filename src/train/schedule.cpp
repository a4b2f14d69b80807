#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace edgelab::train {

namespace {

using Curve = ScheduleSettings::Curve;

constexpr double kCycleRise = 0.3;   // share of the steps
constexpr double kCycleStart = 25;   // the highest rate divided by the first
constexpr double kCycleEnd = 1e4;    // the first divided by the last

// From `start` to `end` along half a cosine; `done` is 0 to 1.
double along_cosine(double start, double end, double done) {
  return end + (start - end) / 2.0 * (1.0 + std::cos(std::numbers::pi * done));
}

double one_cycle(double highest, std::int64_t step, std::int64_t steps) {
  const double first = highest / kCycleStart, at = static_cast<double>(step);
  const double top = kCycleRise * static_cast<double>(steps) - 1.0, last = static_cast<double>(steps) - 1.0;
  return at <= top ? along_cosine(first, highest, at / top)
                   : along_cosine(highest, first / kCycleEnd, (at - top) / (last - top));
}

// How many of the settings' drops are behind `step`.
std::int64_t drops(const ScheduleSettings& settings, std::int64_t step) {
  std::vector<double> epochs = settings.step_epochs;
  const auto all = static_cast<double>(settings.epochs);
  if (epochs.empty()) epochs = {all * 0.5, all * 0.75};
  return std::ranges::count_if(epochs, [&](double epoch) {
    return static_cast<double>(step) >= epoch * static_cast<double>(settings.steps_per_epoch);
  });
}

// The curve, `step` steps behind the warm-up.
double curve_at(const ScheduleSettings& settings, std::int64_t warmup, std::int64_t step) {
  const std::int64_t steps = std::max<std::int64_t>(1, settings.epochs * settings.steps_per_epoch - warmup);
  const double highest = settings.learning_rate;
  switch (settings.curve) {
    case Curve::constant: return highest;
    case Curve::cosine: return along_cosine(highest, 0.0, static_cast<double>(step) / static_cast<double>(steps));
    case Curve::step: return highest * std::pow(settings.gamma, drops(settings, warmup + step));
    case Curve::one_cycle: return one_cycle(highest, step, steps);
  }
  return highest;
}

}  // namespace

double learning_rate(const ScheduleSettings& settings, std::int64_t step) {
  const std::int64_t warmup = std::llround(settings.warmup_epochs * static_cast<double>(settings.steps_per_epoch));
  const double rate = step < warmup ? curve_at(settings, warmup, 0) * static_cast<double>(step + 1) / static_cast<double>(warmup)
                                    : curve_at(settings, warmup, step - warmup);
  return static_cast<double>(static_cast<float>(rate));
}

}  // namespace edgelab::train
