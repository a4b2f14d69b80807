#pragma once

#include <vector>

namespace edgelab::batch {

// Which ranks are free, and the choice among them. Pure; the same calls give the same ranks.
class RankPool {
 public:
  explicit RankPool(std::vector<int> host_of_rank);  // all free

  int free() const { return free_; }
  int size() const { return static_cast<int>(host_of_rank_.size()); }
  bool is_free(int rank) const { return is_free_[static_cast<std::size_t>(rank)]; }

  // Takes `count` free ranks, ascending, on as few hosts as can be: the fullest host that still has room for all of them,
  // else the emptiest hosts first. Leaving whole hosts empty keeps room for wide jobs. Requires count <= free().
  std::vector<int> take(int count);
  void give_back(int rank);

 private:
  std::vector<int> host_of_rank_;
  std::vector<bool> is_free_;
  std::vector<int> free_on_host_;
  int free_ = 0;
};

}  // namespace edgelab::batch
