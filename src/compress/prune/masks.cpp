#include "compress/prune/masks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgelab::compress {
namespace {

// A weight as a matrix of blocks: `block` outputs by one input.
struct Blocks {
  std::int64_t outputs, inputs, block;
  std::int64_t rows() const { return (outputs + block - 1) / block; }
  std::int64_t count() const { return rows() * inputs; }

  template <class Visit> void each_element(std::int64_t at, const Visit& visit) const {
    const std::int64_t first = at / inputs * block, input = at % inputs;
    for (std::int64_t output = first; output < std::min(outputs, first + block); ++output) visit(static_cast<std::size_t>(output * inputs + input));
  }
};

Blocks blocks_of(const Judged& weight, std::int64_t block) {
  const std::int64_t outputs = weight.shape[0];
  return {outputs, weight.shape.elements() / outputs, block};
}

std::vector<double> worth_of_blocks(const Judged& weight, const Blocks& blocks) {
  std::vector<double> worth(static_cast<std::size_t>(blocks.count()), 0.0);
  for (std::int64_t at = 0; at < blocks.count(); ++at) {
    int elements = 0;
    double& sum = worth[static_cast<std::size_t>(at)];
    blocks.each_element(at, [&](std::size_t element) {
      sum += static_cast<double>(weight.worth[element]);
      ++elements;
    });
    sum /= elements;
  }
  return worth;
}

struct Place {
  std::size_t weight;
  std::int64_t block;
  double worth;
};

void drop(const Blocks& blocks, std::int64_t block, Mask& mask) {
  blocks.each_element(block, [&](std::size_t element) { mask.keep[element] = 0; });
}

// The least important share of the places. The order is total, so that it is the same everywhere.
void drop_least(std::vector<Place>& places, double share, const std::vector<Blocks>& blocks, std::vector<Mask>& masks) {
  const auto count = static_cast<std::size_t>(std::llround(share * static_cast<double>(places.size())));
  const auto less = [](const Place& a, const Place& b) {
    if (a.worth != b.worth) return a.worth < b.worth;
    return a.weight != b.weight ? a.weight < b.weight : a.block < b.block;
  };
  if (count < places.size()) std::nth_element(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count), places.end(), less);
  for (std::size_t i = 0; i < count; ++i) drop(blocks[places[i].weight], places[i].block, masks[places[i].weight]);
}

// All but the n most important of each m inputs; of a shorter rest as many stay as its share.
void drop_n_of_m(const Judged& weight, const ZeroPattern& pattern, Mask& mask) {
  const std::int64_t inputs = weight.shape.elements() / weight.shape[0];
  std::vector<std::int64_t> order;
  for (std::int64_t first = 0; first < weight.shape.elements();) {
    const std::int64_t size = std::min(pattern.m, inputs - first % inputs), stay = (size * pattern.n + pattern.m - 1) / pattern.m;
    order.resize(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), first);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return weight.worth[static_cast<std::size_t>(a)] > weight.worth[static_cast<std::size_t>(b)]; });
    for (std::int64_t i = stay; i < size; ++i) mask.keep[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = 0;
    first += size;
  }
}

}  // namespace

std::vector<Mask> masks(const std::vector<Judged>& weights, const MaskSettings& settings) {
  std::vector<Mask> result;
  for (const Judged& weight : weights) result.push_back({weight.weight, std::vector<std::uint8_t>(weight.worth.size(), 1)});
  if (settings.pattern.m > 0) {
    for (std::size_t w = 0; w < weights.size(); ++w) drop_n_of_m(weights[w], settings.pattern, result[w]);
    return result;
  }
  std::vector<Blocks> blocks;
  for (const Judged& weight : weights) blocks.push_back(blocks_of(weight, settings.pattern.block));
  std::vector<Place> places;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    const std::vector<double> worth = worth_of_blocks(weights[w], blocks[w]);
    const double mean = std::accumulate(worth.begin(), worth.end(), 0.0) / static_cast<double>(worth.size());
    for (std::size_t at = 0; at < worth.size(); ++at) places.push_back({w, static_cast<std::int64_t>(at), mean > 0.0 ? worth[at] / mean : 0.0});
    if (!settings.per_layer) continue;
    drop_least(places, settings.sparsity, blocks, result);
    places.clear();
  }
  if (!settings.per_layer) drop_least(places, settings.sparsity, blocks, result);
  return result;
}

Mask nonzero(const std::string& weight, const Tensor& values) {
  const auto elements = values.as<float>();
  Mask mask{weight, std::vector<std::uint8_t>(elements.size())};
  std::transform(elements.begin(), elements.end(), mask.keep.begin(), [](float value) { return value == 0.0f ? 0 : 1; });
  return mask;
}

void apply(const Mask& mask, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask.keep[i] == 0) values[i] = 0.0f;
  }
}

double cubic_sparsity(double target, double done) { return target * (1.0 - std::pow(1.0 - std::clamp(done, 0.0, 1.0), 3)); }

}  // namespace edgelab::compress
