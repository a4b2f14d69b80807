#include "graph/split/blocks.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace edgelab::graph {
namespace {

constexpr int kNoBlock = -1;

// The number behind `prefix`, if `suffix` follows it.
int number_between(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (!name.starts_with(prefix)) return kNoBlock;
  const std::string_view rest = name.substr(prefix.size());
  int number = kNoBlock;
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const bool fits = problem == std::errc() && rest.substr(static_cast<std::size_t>(end - rest.data())).starts_with(suffix);
  return fits ? number : kNoBlock;
}

int block_of(std::string_view layer) {
  for (const auto& [prefix, suffix] : {std::pair{"blocks.", "."}, {"features.", ".conv"}, {"features.", ".add"}}) {
    const int number = number_between(layer, prefix, suffix);
    if (number != kNoBlock) return number;
  }
  return kNoBlock;
}

}  // namespace

Blocks blocks_of(const Graph& graph) {
  Blocks blocks;
  int newest = kNoBlock;
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const int block = block_of(graph.nodes()[n].name);
    if (block == kNoBlock) continue;
    if (block > newest) blocks.first.push_back(n), blocks.number.push_back(block);
    newest = std::max(newest, block);
    blocks.end = n + 1;
  }
  return blocks;
}

std::vector<std::size_t> starts_of(const Blocks& whole, std::span<const int> counts) { return starts_of(whole, counts, whole); }

std::vector<std::size_t> starts_of(const Blocks& whole, std::span<const int> counts, const Blocks& part) {
  const auto sum = static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), 0LL));
  if (counts.empty() || sum != whole.first.size()) {
    std::string got;
    for (const int count : counts) got += (got.empty() ? "" : " + ") + std::to_string(count);
    throw Error(ErrorKind::usage, "parallel.partition does not share out the model's blocks").got(got + " = " + std::to_string(sum)).expected("counts that add up to " + std::to_string(whole.first.size()));
  }
  std::vector<std::size_t> starts = {0};
  std::size_t block = 0;
  for (std::size_t s = 0; s + 1 < counts.size(); ++s) {
    block += static_cast<std::size_t>(counts[s]);
    const auto next = block < whole.number.size() ? std::ranges::lower_bound(part.number, whole.number[block]) : part.number.end();
    starts.push_back(next == part.number.end() ? part.end : part.first[static_cast<std::size_t>(next - part.number.begin())]);
  }
  return starts;
}

}  // namespace edgelab::graph
