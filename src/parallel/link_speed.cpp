#include "parallel/link_speed.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "core/clock.hpp"

namespace edgelab::parallel {
namespace {

struct ChainTimes {
  double wall_ns = 0.0, cpu_ns = 0.0;
};

// The median of a few times that a message of so many bytes takes along the chain of ranks, all links at once, and the least that the
// processor takes of it; the slowest rank's. The least time was tried: on hosts with quotas it is one that few messages get by with.
ChainTimes chain_times(const Communicator& communicator, std::size_t bytes, int rounds) {
  constexpr int kTag = 1;
  const int next = communicator.rank() + 1, previous = communicator.rank() - 1;
  std::vector<std::int64_t> times;
  std::int64_t least_cpu = std::numeric_limits<std::int64_t>::max();
  for (int round = 0; round < rounds; ++round) {
    communicator.barrier();
    const std::int64_t start = now_ns(), cpu_start = thread_cpu_ns();
    std::optional<Request> sent;
    if (next < communicator.size()) sent.emplace(communicator.isend(Bytes(bytes), next, kTag));
    if (previous >= 0) communicator.irecv(bytes, previous, kTag).wait();
    if (sent) sent->wait();
    times.push_back(now_ns() - start);
    least_cpu = std::min(least_cpu, thread_cpu_ns() - cpu_start);
  }
  const auto middle = times.begin() + rounds / 2;
  std::nth_element(times.begin(), middle, times.end());
  return {communicator.all_reduce(static_cast<double>(*middle), Reduction::max), communicator.all_reduce(static_cast<double>(least_cpu), Reduction::max)};
}

constexpr int kPing = 1, kPong = 2;  // tags

// The least of a few times that a message of so many bytes takes to the peer and 8 back.
double round_trip_ns(const Communicator& communicator, int peer, std::size_t bytes, int rounds) {
  const Bytes message(bytes);
  std::array<std::byte, 8> answer;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int round = 0; round < rounds; ++round) {
    const std::int64_t start = now_ns();
    communicator.send(message, peer, kPing);
    communicator.receive(answer, peer, kPong);
    least = std::min(least, now_ns() - start);
  }
  return static_cast<double>(least);
}

void answer_round_trips(const Communicator& communicator, int peer, std::size_t bytes, int rounds) {
  Bytes message(bytes);
  const std::array<std::byte, 8> answer{};
  for (int round = 0; round < rounds; ++round) {
    communicator.receive(message, peer, kPing);
    communicator.send(answer, peer, kPong);
  }
}

}  // namespace

Link slowest_link(const Communicator& communicator) {
  constexpr std::size_t kSmall = 8, kLarge = std::size_t{256} << 10;
  if (communicator.size() == 1) return {};
  const ChainTimes small = chain_times(communicator, kSmall, 9), large = chain_times(communicator, kLarge, 9);
  const auto per_byte = [](double more, double less) { return std::max(0.0, more - less) / static_cast<double>(kLarge); };
  // Of two ranks each only sends or receives.
  const double ends = communicator.size() == 2 ? 2.0 : 1.0;
  return {small.wall_ns, per_byte(large.wall_ns, small.wall_ns), ends * per_byte(large.cpu_ns, small.cpu_ns)};
}

Link link_to(const Communicator& communicator, int peer) {
  constexpr std::size_t kSmall = 8, kLarge = std::size_t{1} << 20;
  constexpr int kSmallRounds = 20, kLargeRounds = 4;
  Link link;
  for (const bool lower_measures : {true, false}) {
    if (lower_measures == (communicator.rank() < peer)) {
      const double there_and_back = round_trip_ns(communicator, peer, kSmall, kSmallRounds);
      const double large = round_trip_ns(communicator, peer, kLarge, kLargeRounds);
      link = {there_and_back / 2, std::max(0.0, large - there_and_back) / static_cast<double>(kLarge)};
    } else {
      answer_round_trips(communicator, peer, kSmall, kSmallRounds);
      answer_round_trips(communicator, peer, kLarge, kLargeRounds);
    }
  }
  return link;
}

int rounds_of_pairs(int ranks) { return ranks < 2 ? 0 : ranks - 1 + ranks % 2; }

std::optional<int> peer_in_round(int rank, int round, int ranks) {
  const int turning = rounds_of_pairs(ranks);  // all but the last of an even number, who meets the one that would meet itself
  const bool odd = ranks % 2 != 0;
  if (!odd && rank == ranks - 1) {
    for (int other = 0; other < turning; ++other) {
      if ((2 * other) % turning == round) return other;
    }
  }
  const int peer = (round - rank + turning) % turning;
  if (peer != rank) return peer;
  return odd ? std::nullopt : std::optional(ranks - 1);
}

}  // namespace edgelab::parallel
