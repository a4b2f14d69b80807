// The Controller's side of ranks that die while the program goes on.
#include <algorithm>
#include <utility>

#include "batch/control/controller.hpp"
#include "core/clock.hpp"

namespace edgelab::batch {

std::map<int, Controller::Attempt>::iterator Controller::attempt_of(int rank) {
  return std::find_if(attempts_.begin(), attempts_.end(), [rank](const auto& one) { return one.second.running.count(rank) > 0; });
}

void Controller::ranks_died(const std::vector<int>& ranks) {
  const std::int64_t now = now_ns();
  for (const int rank : ranks) undeclared_.emplace(rank, now + kReasonPatienceNs);
  declare_deaths(now);
}

// A rank that dies at work waits for its reason, which goes into the job's record; its attempt is not over before that. One that
// was idle is lost at once, or it would be given work.
void Controller::declare_deaths(std::int64_t now) {
  std::map<int, Death> declared;
  for (const auto& [rank, until] : undeclared_) {
    const std::optional<Death> reason = death_of_ ? death_of_(rank) : std::nullopt;
    const bool waits = death_of_ && now < until && attempt_of(rank) != attempts_.end();
    if (reason || !waits) declared.emplace(rank, reason.value_or(Death{"died", ""}));
  }
  for (const auto& [rank, reason] : declared) {
    undeclared_.erase(rank);
    lose_rank(rank, reason);
  }
}

}  // namespace edgelab::batch
