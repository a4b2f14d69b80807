#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace edgelab::batch {

// The jobs that are ready to start, in the order of the queue: priority, then the order in which they were listed. A job
// stands in the lane of its zone (rank_pool.hpp), a segment tree over all jobs of that zone, ready or not, whose nodes know
// the fewest ranks and the shortest run below them: the first job that fits is found in O(log jobs), and memory is linear
// in the jobs, however many zones there are. Pure.
class JobQueue {
 public:
  static constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();
  // A search with a time in it may have to look at many jobs that are short or narrow, but not both. It is for jobs that
  // run ahead of others, a favour that may be missed, so it gives up after this many nodes.
  static constexpr int kMaxNodes = 2000;

  struct Asks {
    std::size_t zone = 0;
    int priority = 0;  // higher goes first
    int ranks = 1;
    std::int64_t bound_ns = kNoBound;  // it runs no longer
  };
  // Jobs of at most `ranks` that are over within `bound_ns` or ask for no more than `harmless` ranks.
  struct Fit {
    int ranks = 0;
    int harmless = std::numeric_limits<int>::max();
    std::int64_t bound_ns = 0;
  };

  void append(const std::vector<Asks>& jobs);  // numbered on from those that there are; not ready yet
  void put(std::size_t job);                   // it is ready
  void remove(std::size_t job);                // it is not any more
  // Between the two, what is put or removed costs one step instead of one a level, and first() must not be asked: for the
  // ten thousand jobs that are ready when a batch begins.
  void defer() { deferred_ = true; }
  void refresh();
  std::size_t lanes() const { return lanes_.size(); }
  bool empty(std::size_t zone) const { return lanes_[zone].ready == 0; }
  std::optional<std::size_t> first(std::size_t zone, const Fit& fit) const;  // in the order of the queue
  bool goes_before(std::size_t job, std::size_t other) const;

  std::int64_t work() const { return work_; }  // nodes looked at so far

 private:
  struct Node {
    int ranks = std::numeric_limits<int>::max();
    std::int64_t bound_ns = kNoBound;
  };
  struct Lane {
    std::vector<std::size_t> order;  // jobs
    std::vector<Node> nodes;         // 1 is the root, node n has 2n and 2n + 1 below it, the leaves are the last half
    std::size_t leaves = 0;
    std::size_t ready = 0;
  };
  struct Job {
    Asks asks;
    std::size_t place = 0;  // in its lane's order
    bool ready = false;
  };

  void rebuild(std::size_t zone);
  void refresh(Lane& lane);
  void set(Lane& lane, std::size_t place, const Node& node);

  std::vector<Job> jobs_;
  std::vector<Lane> lanes_;
  bool deferred_ = false;
  mutable std::int64_t work_ = 0;
};

}  // namespace edgelab::batch
