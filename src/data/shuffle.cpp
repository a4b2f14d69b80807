#include "data/shuffle.hpp"

#include <numeric>
#include <string_view>
#include <utility>

namespace edgelab::data {
namespace {

// A stream for each pair of numbers: the first picks a key out of the stream of `name`, the second one out of that.
CounterRandom stream_of(std::uint64_t seed, std::string_view name, std::int64_t epoch, std::int64_t number) {
  CounterRandom epochs(stream_key(seed, name), static_cast<std::uint64_t>(epoch));
  CounterRandom numbers(epochs.next_bits(), static_cast<std::uint64_t>(number));
  return CounterRandom(numbers.next_bits());
}

}  // namespace

void shuffle(std::span<std::int64_t> items, CounterRandom random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

std::vector<std::int64_t> epoch_order(std::int64_t samples, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffle(order, stream_of(seed, "data/epoch", epoch, 0));
  return order;
}

CounterRandom sample_random(std::uint64_t seed, std::int64_t epoch, std::int64_t position) {
  return stream_of(seed, "data/augment", epoch, position);
}

CounterRandom step_random(std::uint64_t seed, std::int64_t epoch, std::int64_t step) {
  return stream_of(seed, "data/mix", epoch, step);
}

}  // namespace edgelab::data
