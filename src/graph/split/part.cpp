#include "graph/split/part.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace edgelab::graph {

namespace {

std::vector<std::int64_t> sizes_of(std::int64_t total, std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::int64_t> sizes;
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> remainders;
  for (const double weight : weights) {
    const double exact = static_cast<double>(total) * weight / sum;
    sizes.push_back(static_cast<std::int64_t>(std::floor(exact)));
    remainders.push_back(exact - std::floor(exact));
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  std::int64_t left = total - std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  for (std::size_t i = 0; left > 0; ++i, --left) ++sizes[order[i % order.size()]];
  return sizes;
}

std::vector<Range> in_order(const std::vector<std::int64_t>& sizes) {
  std::vector<Range> shares;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    shares.push_back({begin, begin + size});
    begin += size;
  }
  return shares;
}

}  // namespace

std::vector<Range> shares_of(std::int64_t total, std::span<const double> weights) { return in_order(sizes_of(total, weights)); }

std::vector<Range> shares_for_all(std::int64_t total, std::span<const double> weights) {
  std::vector<std::int64_t> sizes = sizes_of(total, weights);
  for (std::int64_t& size : sizes) {
    if (size > 0) continue;
    const auto most = std::max_element(sizes.begin(), sizes.end());
    if (*most <= 1) break;
    --*most;
    ++size;
  }
  return in_order(sizes);
}

}  // namespace edgelab::graph
