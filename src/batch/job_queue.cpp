#include "batch/job_queue.hpp"

#include <algorithm>
#include <bit>
#include <set>

namespace edgelab::batch {
namespace {

template <class Node>
Node least_of(const Node& a, const Node& b) {
  return {std::min(a.ranks, b.ranks), std::min(a.bound_ns, b.bound_ns)};
}

// True for a job itself; for a node above, only a hint that there may be one below.
template <class Node>
bool fits(const Node& node, const JobQueue::Fit& fit) {
  return node.ranks <= fit.ranks && (node.bound_ns <= fit.bound_ns || node.ranks <= fit.harmless);
}

}  // namespace

void JobQueue::append(const std::vector<Asks>& jobs) {
  std::set<std::size_t> changed;
  for (const Asks& asks : jobs) {
    if (asks.zone >= lanes_.size()) lanes_.resize(asks.zone + 1);
    lanes_[asks.zone].order.push_back(jobs_.size());
    changed.insert(asks.zone);
    jobs_.push_back({asks, 0, false});
  }
  for (const std::size_t zone : changed) rebuild(zone);
}

void JobQueue::rebuild(std::size_t zone) {
  Lane& lane = lanes_[zone];
  std::sort(lane.order.begin(), lane.order.end(), [&](std::size_t a, std::size_t b) { return goes_before(a, b); });
  lane.leaves = std::bit_ceil(lane.order.size());
  lane.nodes.assign(2 * lane.leaves, Node{});
  for (std::size_t place = 0; place < lane.order.size(); ++place) {
    Job& job = jobs_[lane.order[place]];
    job.place = place;
    if (job.ready) lane.nodes[lane.leaves + place] = {job.asks.ranks, job.asks.bound_ns};
  }
  refresh(lane);
}

void JobQueue::refresh(Lane& lane) {
  for (std::size_t node = lane.leaves; node-- > 1;) {
    ++work_;
    lane.nodes[node] = least_of(lane.nodes[2 * node], lane.nodes[2 * node + 1]);
  }
}

void JobQueue::refresh() {
  deferred_ = false;
  for (Lane& lane : lanes_) refresh(lane);
}

void JobQueue::set(Lane& lane, std::size_t place, const Node& leaf) {
  std::size_t node = lane.leaves + place;
  lane.nodes[node] = leaf;
  if (deferred_) return;
  for (node /= 2; node > 0; node /= 2) {
    ++work_;
    lane.nodes[node] = least_of(lane.nodes[2 * node], lane.nodes[2 * node + 1]);
  }
}

void JobQueue::put(std::size_t job) {
  Job& entry = jobs_[job];
  if (entry.ready) return;
  entry.ready = true;
  Lane& lane = lanes_[entry.asks.zone];
  ++lane.ready;
  set(lane, entry.place, {entry.asks.ranks, entry.asks.bound_ns});
}

void JobQueue::remove(std::size_t job) {
  Job& entry = jobs_[job];
  if (!entry.ready) return;
  entry.ready = false;
  Lane& lane = lanes_[entry.asks.zone];
  --lane.ready;
  set(lane, entry.place, Node{});
}

bool JobQueue::goes_before(std::size_t job, std::size_t other) const {
  const int priority = jobs_[job].asks.priority, other_priority = jobs_[other].asks.priority;
  return priority != other_priority ? priority > other_priority : job < other;
}

// Depth first from the left: after a node in vain comes its right neighbour, or that of the nearest node above that is
// itself a left one.
std::optional<std::size_t> JobQueue::first(std::size_t zone, const Fit& fit) const {
  const Lane& lane = lanes_[zone];
  if (lane.ready == 0) return std::nullopt;
  std::size_t node = 1;
  for (int seen = 0; seen < kMaxNodes; ++seen) {
    ++work_;
    if (fits(lane.nodes[node], fit)) {
      if (node >= lane.leaves) return lane.order[node - lane.leaves];
      node *= 2;
      continue;
    }
    while (node % 2 == 1) {
      if (node == 1) return std::nullopt;
      node /= 2;
    }
    ++node;
  }
  return std::nullopt;
}

}  // namespace edgelab::batch
