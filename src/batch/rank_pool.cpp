#include "batch/rank_pool.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace edgelab::batch {

RankPool::RankPool(std::vector<int> host_of_rank, std::size_t hosts)
    : host_of_rank_(std::move(host_of_rank)),
      state_(host_of_rank_.size(), State::free),
      free_ranks_(hosts),
      alive_on_(hosts, 0),
      here_on_(hosts, 0),
      drained_(hosts, false) {
  for (int rank = size() - 1; rank >= 0; --rank) {
    free_ranks_[host(rank)].push_back(rank);
    ++alive_on_[host(rank)];
    ++here_on_[host(rank)];
  }
  std::vector<int> all(hosts);
  std::iota(all.begin(), all.end(), 0);
  zone_of(std::move(all));
}

RankPool::Zone RankPool::zone_of(std::vector<int> hosts) {
  const auto [place, is_new] = zone_by_hosts_.emplace(std::move(hosts), zones_.size());
  if (!is_new) return place->second;
  ZoneState zone;
  zone.hosts = place->first;
  zone.has.resize(drained_.size(), false);
  for (const int host : zone.hosts) {
    zone.has[index(host)] = true;
    zone.alive += alive_on_[index(host)];
    if (drained_[index(host)]) continue;
    zone.usable += here_on_[index(host)];
    zone.free += static_cast<int>(free_ranks_[index(host)].size());
  }
  zones_.push_back(std::move(zone));
  return place->second;
}

int RankPool::free_outside(Zone zone, Zone other) const {
  if (zone == other || other == kEverywhere) return 0;
  int free = 0;
  for (const int host : zones_[zone].hosts) {
    ++work_;
    if (!zones_[other].has[index(host)] && !drained_[index(host)])
      free += static_cast<int>(free_ranks_[index(host)].size());
  }
  return free;
}

void RankPool::count(std::size_t host, int ZoneState::*what, int change) {
  for (ZoneState& zone : zones_) {
    if (zone.has[host]) zone.*what += change;
  }
}

std::vector<RankPool::Share> RankPool::shares(const Wish& wish, bool of_last) const {
  std::vector<Share> result;
  for (const int host : zones_[wish.zone].hosts) {
    ++work_;
    const bool is_last = wish.last != nullptr && zones_[*wish.last].has[index(host)];
    if (is_last != of_last || drained_[index(host)] || free_ranks_[index(host)].empty()) continue;
    result.push_back({host, static_cast<int>(free_ranks_[index(host)].size()), 0});
  }
  return result;
}

namespace {

// From the emptiest host to the fullest; of equals the first, as everywhere. Only the first `count` need be in order.
template <class Shares>
void sort_emptiest_first(Shares& shares, int count) {
  const auto middle = shares.begin() + std::min(static_cast<std::ptrdiff_t>(count), std::ssize(shares));
  std::partial_sort(shares.begin(), middle, shares.end(), [](const auto& a, const auto& b) {
    return std::pair(-a.room, a.host) < std::pair(-b.room, b.host);
  });
}

// The fullest host that has room for `count`, from `first` on; the end if there is none.
template <class Place>
Place tightest(Place first, Place end, int count) {
  Place best = end;
  for (Place other = first; other != end; ++other) {
    if (other->room >= count && (best == end || other->room < best->room)) best = other;
  }
  return best;
}

}  // namespace

void RankPool::pack(std::vector<Share>& shares, int count) {
  auto rest = shares.begin();
  if (tightest(rest, shares.end(), count) == shares.end()) {
    sort_emptiest_first(shares, count);
    for (; rest != shares.end() && rest->room < count; ++rest) {
      rest->count = rest->room;
      count -= rest->room;
    }
  }
  const auto last = tightest(rest, shares.end(), count);
  if (count > 0 && last != shares.end()) last->count = count;
}

void RankPool::spread(std::vector<Share>& shares, int count) {
  sort_emptiest_first(shares, count);
  for (int level = 0; count > 0 && level < shares.front().room; ++level) {
    for (Share& share : shares) {
      if (count == 0 || share.room <= level) break;
      ++share.count;
      --count;
    }
  }
}

std::vector<int> RankPool::take(const Wish& wish) {
  std::vector<int> taken;
  std::vector<std::vector<int>> by_host;
  int left = wish.count;
  for (const bool of_last : {false, true}) {
    std::vector<Share> chosen = shares(wish, of_last);
    if (left == 0 || chosen.empty()) continue;
    wish.placement == tasks::Placement::pack ? pack(chosen, left) : spread(chosen, left);
    for (const Share& share : chosen) {
      if (share.count == 0) continue;
      std::vector<int>& ranks = free_ranks_[index(share.host)];
      by_host.emplace_back(ranks.rbegin(), ranks.rbegin() + share.count);
      ranks.resize(ranks.size() - index(share.count));
      count(index(share.host), &ZoneState::free, -share.count);
      left -= share.count;
    }
  }
  std::sort(by_host.begin(), by_host.end());
  for (const std::vector<int>& ranks : by_host) taken.insert(taken.end(), ranks.begin(), ranks.end());
  for (const int rank : taken) state_[index(rank)] = State::taken;
  work_ += static_cast<std::int64_t>(taken.size());
  return taken;
}

void RankPool::give_back(int rank) {
  if (state_[index(rank)] != State::taken) return;
  state_[index(rank)] = State::free;
  std::vector<int>& ranks = free_ranks_[host(rank)];
  ranks.insert(std::lower_bound(ranks.begin(), ranks.end(), rank, std::greater<>()), rank);
  if (!drained_[host(rank)]) count(host(rank), &ZoneState::free, 1);
}

void RankPool::lose(int rank, bool for_good) {
  if (state_[index(rank)] == State::lost) return;
  const bool takes_jobs = !drained_[host(rank)];
  if (state_[index(rank)] == State::free) {
    std::vector<int>& ranks = free_ranks_[host(rank)];
    ranks.erase(std::find(ranks.begin(), ranks.end(), rank));
    if (takes_jobs) count(host(rank), &ZoneState::free, -1);
  }
  state_[index(rank)] = State::lost;
  --here_on_[host(rank)];
  if (for_good) {
    --alive_on_[host(rank)];
    count(host(rank), &ZoneState::alive, -1);
  } else {
    ++lost_for_now_;
  }
  if (takes_jobs) count(host(rank), &ZoneState::usable, -1);
}

void RankPool::set_drained(std::size_t host, bool drained) {
  if (drained_[host] == drained) return;
  drained_[host] = drained;
  const int sign = drained ? -1 : 1;
  count(host, &ZoneState::usable, sign * here_on_[host]);
  count(host, &ZoneState::free, sign * static_cast<int>(free_ranks_[host].size()));
}

}  // namespace edgelab::batch
