#include "results/bootstrap.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/random/binomial_distribution.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/random.hpp"

namespace edgelab::results {
namespace {

constexpr std::size_t kReplicates = 2000;

// CounterRandom as the distributions of Boost want it.
struct Bits {
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return random.next_bits(); }
  CounterRandom random;
};

Interval middle_95(std::vector<double> replicates) {
  std::sort(replicates.begin(), replicates.end());
  return {replicates[kReplicates / 40], replicates[kReplicates - 1 - kReplicates / 40]};
}

std::optional<Interval> ratio_interval(const std::vector<double>& below, std::vector<double> above) {
  for (std::size_t i = 0; i < above.size(); ++i) {
    if (below[i] <= 0) return std::nullopt;
    above[i] /= below[i];
  }
  return middle_95(std::move(above));
}

std::vector<double> medians_by_rank(std::span<const std::int64_t> values, std::uint64_t stream) {
  std::vector<std::int64_t> ascending(values.begin(), values.end());
  std::sort(ascending.begin(), ascending.end());
  const auto count = static_cast<double>(ascending.size());
  const double middle = std::floor((count + 1) / 2);
  const boost::math::beta_distribution<double> ranks(middle, count - middle + 1);
  CounterRandom random(stream_key(stream, "bootstrap"));
  std::vector<double> medians;
  for (std::size_t i = 0; i < kReplicates; ++i) {
    const double share = boost::math::quantile(ranks, static_cast<double>(random.next_bits() >> 11) * 0x1p-53);
    const auto index = std::min(static_cast<std::size_t>(share * count), ascending.size() - 1);
    medians.push_back(static_cast<double>(ascending[index]));
  }
  return medians;
}

std::vector<double> medians_by_drawing(std::span<const double> values, std::uint64_t stream) {
  CounterRandom random(stream_key(stream, "bootstrap of processes"));
  std::vector<double> drawn(values.size()), medians;
  for (std::size_t i = 0; i < kReplicates; ++i) {
    for (double& value : drawn) value = values[random.below(values.size())];
    medians.push_back(median_of(drawn));
  }
  return medians;
}

}  // namespace

double median_of(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("a median of no values");
  std::vector<double> ascending(values.begin(), values.end());
  std::sort(ascending.begin(), ascending.end());
  const std::size_t half = ascending.size() / 2;
  return ascending.size() % 2 == 1 ? ascending[half] : (ascending[half - 1] + ascending[half]) / 2;
}

std::optional<Interval> median_ratio_interval(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  if (std::min(a.size(), b.size()) < kFewestValues) return std::nullopt;
  return ratio_interval(medians_by_rank(a, 1), medians_by_rank(b, 2));
}

std::optional<Interval> process_ratio_interval(std::span<const double> a, std::span<const double> b) {
  if (std::min(a.size(), b.size()) < kFewestValues) return std::nullopt;
  return ratio_interval(medians_by_drawing(a, 1), medians_by_drawing(b, 2));
}

std::optional<Interval> paired_share_interval(std::int64_t gained, std::int64_t lost, std::int64_t samples) {
  if (samples < static_cast<std::int64_t>(kFewestValues)) return std::nullopt;
  // A resampling of the pairs only has to say how many of them were gained and lost: a multinomial draw.
  const auto whole = static_cast<double>(samples);
  const double gain = static_cast<double>(gained) / whole;
  const double loss = gained < samples ? static_cast<double>(lost) / static_cast<double>(samples - gained) : 0.0;
  Bits bits{CounterRandom(stream_key(3, "bootstrap"))};
  std::vector<double> differences;
  for (std::size_t i = 0; i < kReplicates; ++i) {
    const std::int64_t up = boost::random::binomial_distribution<std::int64_t>(samples, gain)(bits);
    const std::int64_t down = boost::random::binomial_distribution<std::int64_t>(samples - up, loss)(bits);
    differences.push_back(static_cast<double>(up - down) / whole);
  }
  return middle_95(std::move(differences));
}

}  // namespace edgelab::results
