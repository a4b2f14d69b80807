// The Controller's side of ranks that die while the program goes on.
#include <algorithm>
#include <utility>

#include "batch/control/controller.hpp"
#include "core/clock.hpp"

namespace edgelab::batch {

// Counts the deaths that the controller knows of; so a later one is always a higher one.
int Controller::generation() const { return static_cast<int>(mailbox_.dead().size()); }

void Controller::ranks_died(const std::vector<int>& ranks) {
  for (const int rank : ranks) lose_rank(rank, "died");
  Regroup regroup{generation(), {}};
  for (int rank = 0; rank < mailbox_.size(); ++rank) {
    if (mailbox_.dead().count(rank) == 0) regroup.survivors.push_back(rank);
  }
  for (const int rank : regroup.survivors) mailbox_.post(rank, Kind::regroup, regroup);
}

bool Controller::keep_orphan(Attempt& attempt, int rank, MemberEnd end) {
  const bool with_others = end == MemberEnd::cancelled && !attempt.orphans.empty();
  if (end != MemberEnd::orphaned && !with_others) return false;
  attempt.orphans.push_back(rank);
  return true;
}

// A rank of another job, or of none, died while this attempt's ranks came together, and MPI let them down: then it was no
// attempt at all. Its ranks are all still its own and meet again.
bool Controller::starts_over(Attempt& attempt) {
  if (attempt.orphans.empty() || !attempt.failure.empty()) return false;
  if (attempt.orphans.size() < attempt.ranks.size()) {
    attempt.failure = "a rank died elsewhere, and some of its own never came together";
    return false;
  }
  attempt.orphans.clear();
  attempt.cancelled = attempt.released = false;
  attempt.patience_until_ns = 0;
  return true;
}

void Controller::give_back(std::vector<int> ranks) {
  for (const int rank : ranks) {
    if (lost_.count(rank) == 0) apply(scheduler_.rank_free(rank, now_ns()));
  }
}

}  // namespace edgelab::batch
