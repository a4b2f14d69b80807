#include "graph/split/balance.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace edgelab::graph {
namespace {

using Cost = std::pair<double, double>;  // the bottleneck; the sum of what is sent

struct Chain {
  Chain(std::span<const double> node_costs, const CutCosts& all_cuts) : cuts(all_cuts), before(node_costs.size() + 1, 0.0) {
    for (std::size_t n = 0; n < node_costs.size(); ++n) before[n + 1] = before[n] + node_costs[n];
  }
  double stage(std::size_t begin, std::size_t end, double slowness) const { return slowness * (before[end] - before[begin] + work(begin) + work(end)); }
  double link(std::size_t at) const { return cuts.link.empty() ? 0.0 : cuts.link[at]; }
  double work(std::size_t at) const { return cuts.work.empty() || at == 0 || at + 1 == before.size() ? 0.0 : cuts.work[at]; }

  const CutCosts& cuts;
  std::vector<double> before;  // of the nodes before each
};

struct Best {
  double bottleneck = 0.0;
  std::vector<std::size_t> starts;
};

// Bottlenecks below `good_enough` are all alike.
Best best_starts(const Chain& chain, std::span<const double> slowness, double good_enough) {
  const std::size_t nodes = chain.before.size() - 1, stages = slowness.size();
  constexpr Cost kNone = {std::numeric_limits<double>::infinity(), 0.0};
  // best[end]: of the first s + 1 stages having the nodes before `end`; start[s][end]: where the last of them begins.
  std::vector<Cost> best(nodes + 1);
  for (std::size_t end = 0; end <= nodes; ++end) best[end] = {std::max(good_enough, chain.stage(0, end, slowness[0])), 0.0};
  std::vector<std::vector<std::size_t>> start(stages, std::vector<std::size_t>(nodes + 1, 0));
  for (std::size_t s = 1; s < stages; ++s) {
    std::vector<Cost> next(nodes + 1, kNone);
    for (std::size_t end = 0; end <= nodes; ++end) {
      for (std::size_t begin = 0; begin <= end; ++begin) {
        const double link = chain.link(begin);
        const Cost cost = {std::max({best[begin].first, link, chain.stage(begin, end, slowness[s])}), best[begin].second + link};
        if (cost < next[end]) next[end] = cost, start[s][end] = begin;
      }
    }
    best = std::move(next);
  }
  Best found{best[nodes].first, std::vector<std::size_t>(stages, 0)};
  for (std::size_t s = stages, end = nodes; s-- > 1;) found.starts[s] = end = start[s][end];
  return found;
}

}  // namespace

std::vector<std::size_t> balanced_starts(std::span<const double> node_costs, std::span<const double> slowness, const CutCosts& cuts, double slack) {
  const Chain chain(node_costs, cuts);
  const Best best = best_starts(chain, slowness, 0.0);
  return slack > 0.0 ? best_starts(chain, slowness, (1.0 + slack) * best.bottleneck).starts : best.starts;
}

double bottleneck(std::span<const std::size_t> starts, std::span<const double> node_costs, std::span<const double> slowness, const CutCosts& cuts) {
  const Chain chain(node_costs, cuts);
  double most = 0.0;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const std::size_t end = s + 1 < starts.size() ? starts[s + 1] : node_costs.size();
    most = std::max({most, s > 0 ? chain.link(starts[s]) : 0.0, chain.stage(starts[s], end, slowness[s])});
  }
  return most;
}

}  // namespace edgelab::graph
