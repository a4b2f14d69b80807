#include "batch/rank_pool.hpp"

#include <algorithm>
#include <utility>

namespace edgelab::batch {

RankPool::RankPool(std::vector<int> host_of_rank)
    : host_of_rank_(std::move(host_of_rank)), is_free_(host_of_rank_.size(), true), free_(static_cast<int>(host_of_rank_.size())) {
  for (const int host : host_of_rank_) {
    if (static_cast<std::size_t>(host) >= free_on_host_.size()) free_on_host_.resize(static_cast<std::size_t>(host) + 1);
    ++free_on_host_[static_cast<std::size_t>(host)];
  }
}

std::vector<int> RankPool::take(int count) {
  std::vector<int> taken;
  while (count > 0) {
    std::size_t best = 0;
    for (std::size_t host = 1; host < free_on_host_.size(); ++host) {
      const bool fits = free_on_host_[host] >= count, best_fits = free_on_host_[best] >= count;
      const bool tighter = free_on_host_[host] < free_on_host_[best];
      if (fits != best_fits ? fits : (fits ? tighter : free_on_host_[host] > free_on_host_[best])) best = host;
    }
    for (std::size_t rank = 0; rank < is_free_.size() && count > 0; ++rank) {
      if (!is_free_[rank] || host_of_rank_[rank] != static_cast<int>(best)) continue;
      is_free_[rank] = false;
      --free_on_host_[best];
      --free_;
      --count;
      taken.push_back(static_cast<int>(rank));
    }
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

void RankPool::give_back(int rank) {
  const auto index = static_cast<std::size_t>(rank);
  if (is_free_[index]) return;
  is_free_[index] = true;
  ++free_on_host_[static_cast<std::size_t>(host_of_rank_[index])];
  ++free_;
}

}  // namespace edgelab::batch
