// Who starts: the head of the queue, who may run ahead of it, and what a job waits for.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "batch/scheduler.hpp"

namespace edgelab::batch {

void Scheduler::dispatch(Actions& actions) {
  do {
    start_what_fits(actions);
  } while (give_up_on_drained(actions));
}

void Scheduler::start_what_fits(Actions& actions) {
  while (!stopped_ && !held_ && pool_.free() > 0) {
    const std::optional<std::size_t> first = head();
    if (!first) return;
    if (jobs_[*first].ranks > pool_.free(entries_[*first].zone)) return backfill(*first, actions);
    start(*first, nullptr, actions);
  }
}

// The first ready job of those that could run if every rank of a host that takes jobs were free.
std::optional<std::size_t> Scheduler::head() const {
  std::optional<std::size_t> first;
  for (RankPool::Zone zone = 0; zone < queue_.lanes(); ++zone) {
    const std::optional<std::size_t> job = queue_.first(zone, {pool_.usable(zone)});
    if (job && (!first || queue_.goes_before(*job, *first))) first = job;
  }
  return first;
}

std::int64_t Scheduler::end_of(std::size_t job, std::int64_t start) const {
  const std::int64_t bound = jobs_[job].bound_ns.value_or(JobQueue::kNoBound);
  return bound > JobQueue::kNoBound - start ? JobQueue::kNoBound : start + bound;
}

void Scheduler::start(std::size_t job, const RankPool::Zone* last, Actions& actions) {
  Entry& entry = entries_[job];
  queue_.remove(job);
  entry.state = State::running;
  std::vector<int> ranks = pool_.take({jobs_[job].ranks, entry.zone, jobs_[job].placement, last});
  for (const int rank : ranks) free_by_[static_cast<std::size_t>(rank)] = end_of(job, now_);
  ++running_;
  actions.start.push_back({job, ++entry.attempts, std::move(ranks)});
}

// An attempt that outlives its bound counts as one that ends now.
Scheduler::Promise Scheduler::promise_to(std::size_t head) const {
  const RankPool::Zone zone = entries_[head].zone;
  const int missing = jobs_[head].ranks - pool_.free(zone);
  std::vector<std::int64_t> ends;
  work_ += pool_.size();
  for (int rank = 0; rank < pool_.size(); ++rank) {
    const bool counts = pool_.is_taken(rank) && pool_.in_zone(rank, zone);
    if (counts && !pool_.is_drained(static_cast<std::size_t>(cluster_.host_of_rank[static_cast<std::size_t>(rank)]))) {
      ends.push_back(std::max(now_, free_by_[static_cast<std::size_t>(rank)]));
    }
  }
  const auto last = ends.begin() + missing - 1;
  std::nth_element(ends.begin(), last, ends.end());
  if (*last == JobQueue::kNoBound) return {};
  const auto by_then = std::count_if(ends.begin(), ends.end(), [&](std::int64_t end) { return end <= *last; });
  return {*last, static_cast<int>(by_then) - missing};
}

std::optional<Scheduler::Candidate> Scheduler::candidate(std::size_t head, const Promise& promise) const {
  const RankPool::Zone heads_zone = entries_[head].zone;
  const bool on_trust = !promise.time_ns && entries_[head].overtaken < kMaxOvertakes;
  const std::int64_t bound = on_trust ? JobQueue::kNoBound : promise.time_ns ? *promise.time_ns - now_ : -1;
  std::optional<Candidate> best;
  for (RankPool::Zone zone = 0; zone < queue_.lanes(); ++zone) {
    if (queue_.empty(zone) || pool_.free(zone) == 0) continue;
    const int harmless = pool_.free_outside(zone, heads_zone) + promise.spare;
    const std::optional<std::size_t> job = queue_.first(zone, {pool_.free(zone), harmless, bound});
    if (job && (!best || queue_.goes_before(*job, best->job))) best = {*job, jobs_[*job].ranks <= harmless};
  }
  return best;
}

// The promise holds for as long as attempts keep to their bounds: every start below leaves the head as many ranks at its
// time as it was promised. Jobs between the head and one that passes them are promised nothing before their turn as head.
void Scheduler::backfill(std::size_t head, Actions& actions) {
  const RankPool::Zone zone = entries_[head].zone;
  Promise promise = promise_to(head);
  while (const std::optional<Candidate> next = candidate(head, promise)) {
    const bool in_time = promise.time_ns && end_of(next->job, now_) <= *promise.time_ns;
    const int before = pool_.free(zone);
    start(next->job, next->harmless && !in_time ? &zone : nullptr, actions);
    if (in_time) continue;
    if (next->harmless) {
      promise.spare -= before - pool_.free(zone);
    } else {
      ++entries_[head].overtaken;
    }
  }
}

namespace {

// "host pi3, which is drained"; `one` and `many` say what is with it or them.
std::string named(const std::vector<std::string>& hosts, const char* one, const char* many) {
  constexpr std::size_t kNamed = 3;  // of perhaps a thousand
  std::string text = hosts.size() == 1 ? "host " : "hosts ";
  for (std::size_t i = 0; i < std::min(hosts.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + hosts[i];
  if (hosts.size() > kNamed) text += fmt::format(" and {} more", hosts.size() - kNamed);
  return text + (hosts.size() == 1 ? one : many);
}

}  // namespace

std::string Scheduler::drained_hosts(RankPool::Zone zone) const {
  std::vector<std::string> names;
  for (const int host : pool_.hosts(zone)) {
    if (pool_.is_drained(static_cast<std::size_t>(host)))
      names.push_back(cluster_.hosts[static_cast<std::size_t>(host)].name);
  }
  return named(names, ", which is drained", ", which are drained");
}

std::string Scheduler::lost_hosts(RankPool::Zone zone) const {
  std::vector<std::string> names;
  for (const int host : pool_.hosts(zone)) {
    const HostAbility& ability = cluster_.hosts[static_cast<std::size_t>(host)];
    if (ability.away) names.push_back(ability.name);
  }
  return names.empty() ? "a restart with all ranks" : named(names, ", which can't be reached", ", which can't be reached");
}

// Nothing runs, rests or can start, and jobs are ready all the same: they wait for drained hosts, and no event of this run
// would end that. Skipping one may free a place in its sweep, so it is one at a time.
bool Scheduler::give_up_on_drained(Actions& actions) {
  if (stopped_ || held_ || running_ > 0 || pool_.lost_for_now() || !resting_.empty() || head()) return false;
  for (RankPool::Zone zone = 0; zone < queue_.lanes(); ++zone) {
    const std::optional<std::size_t> job = queue_.first(zone, {pool_.size()});
    if (!job) continue;
    skip_with_dependants(*job, fmt::format("nothing is left that could run it but {}", drained_hosts(zone)), actions);
    return true;
  }
  return false;
}

std::string Scheduler::why_waiting(std::size_t job) const {
  const Entry& entry = entries_[job];
  switch (entry.state) {
    case State::waiting: return "for its needs";
    case State::held: return fmt::format("for a sweep mate (max_parallel {})", *jobs_[job].max_parallel);
    case State::resting:
      return fmt::format("for {} s more after a failed attempt",
                         (std::max<std::int64_t>(entry.rested_ns - now_, 0) + 999'999'999) / 1'000'000'000);
    case State::ready: return why_ready_waits(job);
    case State::running:
    case State::done:
    case State::failed:
    case State::skipped: break;
  }
  return "";
}

std::string Scheduler::why_ready_waits(std::size_t job) const {
  const RankPool::Zone zone = entries_[job].zone;
  const int asked = jobs_[job].ranks, free = pool_.free(zone);
  if (held_) return "for a restart, which takes hosts back in";
  if (pool_.usable(zone) < asked) return "for " + (pool_.lost_for_now() ? lost_hosts(zone) : drained_hosts(zone));
  if (free < asked) {
    const std::string with = jobs_[job].demand ? fmt::format(" with {}", demand_text(jobs_[job].demand)) : "";
    return fmt::format("for {} rank{}{}; {} {} free", asked, asked == 1 ? "" : "s", with, free,
                       free == 1 ? "is" : "are");
  }
  const std::optional<std::size_t> first = head();
  return first ? fmt::format("for its turn: free ranks are kept for {}", jobs_[*first].id) : "for its turn";
}

}  // namespace edgelab::batch
