#include "search/parzen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/random.hpp"

namespace edgelab::search {
namespace {

// A number of a dimension on [0, 1].
double scaled(const Dimension& dimension, double value) {
  if (dimension.logarithmic) return std::log(value / dimension.low) / std::log(dimension.high / dimension.low);
  return (value - dimension.low) / (dimension.high - dimension.low);
}

double unscaled(const Dimension& dimension, double at) {
  if (dimension.logarithmic) return dimension.low * std::pow(dimension.high / dimension.low, at);
  return dimension.low + (dimension.high - dimension.low) * at;
}

// The density of one dimension over some trials, and the uniform one that counts as one trial more.
class Density {
 public:
  Density(const Dimension& dimension, std::size_t axis, const std::vector<const Trial*>& trials) : dimension_(dimension) {
    for (const Trial* trial : trials) at_.push_back(dimension.choices.empty() ? scaled(dimension, trial->point[axis]) : trial->point[axis]);
    // As wide as the points are far apart on the whole, and never so narrow that one point is all there is.
    width_ = std::max(0.05, 1.0 / (1.0 + static_cast<double>(at_.size())));
  }

  double draw(CounterRandom& random) const {
    const auto which = random.below(at_.size() + 1);
    if (!dimension_.choices.empty()) return which < at_.size() ? at_[which] : static_cast<double>(random.below(dimension_.choices.size()));
    if (which == at_.size()) return static_cast<double>(random.uniform());
    return std::clamp(at_[which] + width_ * static_cast<double>(random.normal()), 0.0, 1.0);
  }

  double of(double at) const {
    const double all = static_cast<double>(at_.size()) + 1.0;
    if (!dimension_.choices.empty()) return (static_cast<double>(std::ranges::count(at_, at)) + 1.0 / static_cast<double>(dimension_.choices.size())) / all;
    double sum = 1.0;
    for (const double center : at_) sum += std::exp(-0.5 * std::pow((at - center) / width_, 2)) / (width_ * std::sqrt(2.0 * std::numbers::pi));
    return sum / all;
  }

 private:
  const Dimension& dimension_;
  std::vector<double> at_;
  double width_ = 0.0;
};

double random_value(const Dimension& dimension, CounterRandom& random) {
  if (!dimension.choices.empty()) return static_cast<double>(random.below(dimension.choices.size()));
  return unscaled(dimension, static_cast<double>(random.uniform()));
}

}  // namespace

std::vector<double> next_point(const std::vector<Dimension>& space, const std::vector<Trial>& done, std::uint64_t seed, std::int64_t number, const ParzenSettings& settings) {
  CounterRandom random(stream_key(seed, fmt::format("search trial {}", number)));
  std::vector<double> point;
  if (static_cast<int>(done.size()) < settings.at_random) {
    for (const Dimension& dimension : space) point.push_back(random_value(dimension, random));
    return point;
  }
  std::vector<const Trial*> order;
  for (const Trial& trial : done) order.push_back(&trial);
  std::ranges::stable_sort(order, [](const Trial* a, const Trial* b) { return std::isnan(b->worth) ? !std::isnan(a->worth) : a->worth > b->worth; });
  const auto good = static_cast<std::ptrdiff_t>(std::ceil(settings.good * static_cast<double>(order.size())));
  const std::vector<const Trial*> best(order.begin(), order.begin() + good), rest(order.begin() + good, order.end());
  double most = -HUGE_VAL;
  for (int i = 0; i < settings.candidates; ++i) {
    std::vector<double> candidate;
    double worth = 0.0;
    for (std::size_t axis = 0; axis < space.size(); ++axis) {
      const Density likely(space[axis], axis, best), unlikely(space[axis], axis, rest);
      const double at = likely.draw(random);
      worth += std::log(likely.of(at)) - std::log(unlikely.of(at));
      candidate.push_back(space[axis].choices.empty() ? unscaled(space[axis], at) : at);
    }
    // What was tried already tells nothing new.
    if (std::ranges::any_of(done, [&](const Trial& trial) { return trial.point == candidate; })) worth -= 1e3;
    if (worth > most) most = worth, point = candidate;
  }
  return point;
}

std::string text_of(const std::vector<Dimension>& space, const std::vector<double>& point) {
  std::string text;
  for (std::size_t axis = 0; axis < space.size(); ++axis) {
    const Dimension& dimension = space[axis];
    if (!text.empty()) text += ", ";
    text += dimension.name + " " + (dimension.choices.empty() ? fmt::format("{:.3g}", point[axis]) : dimension.choices[static_cast<std::size_t>(point[axis])]);
  }
  return text;
}

}  // namespace edgelab::search
