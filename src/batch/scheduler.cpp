#include "batch/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace edgelab::batch {

Scheduler::Scheduler(std::vector<JobRequest> jobs, ClusterHosts cluster)
    : cluster_(std::move(cluster)),
      pool_(cluster_.host_of_rank, cluster_.hosts.size()),
      free_by_(cluster_.host_of_rank.size(), JobQueue::kNoBound) {
  join(std::move(jobs));
}

void Scheduler::join(std::vector<JobRequest> more) {
  const std::size_t first = jobs_.size();
  std::move(more.begin(), more.end(), std::back_inserter(jobs_));
  entries_.resize(jobs_.size());
  dependants_.resize(jobs_.size());
  std::vector<JobQueue::Asks> asks;
  for (std::size_t index = first; index < jobs_.size(); ++index) {
    const JobRequest& job = jobs_[index];
    Entry& entry = entries_[index];
    entry.attempts = job.attempts;
    for (const std::size_t need : job.needs) dependants_[need].push_back(index);
    if (job.demand) {
      const auto [place, is_new] =
          zone_by_demand_.emplace(std::pair(job.demand->memory_bytes.value_or(0), job.demand->features), 0);
      if (is_new) place->second = pool_.zone_of(hosts_for(job.demand, cluster_));
      entry.zone = place->second;
    }
    if (!job.sweep.empty() && job.max_parallel) {
      const auto [place, is_new] = sweep_by_name_.emplace(job.sweep, static_cast<int>(sweeps_.size()));
      if (is_new) sweeps_.push_back({*job.max_parallel, 0, {}});
      entry.sweep = place->second;
    }
    asks.push_back({entry.zone, job.priority, job.ranks, job.bound_ns.value_or(JobQueue::kNoBound)});
  }
  open_ += jobs_.size() - first;
  queue_.append(asks);
}

// First what earlier runs decided, then what can't run at all, then the rest: needs may point forward in the list.
void Scheduler::admit(std::size_t first, Actions& actions) {
  std::string stop_reason;
  for (std::size_t job = first; job < jobs_.size(); ++job) {
    if (!jobs_[job].ended) continue;
    entries_[job].cancelled = !*jobs_[job].ended && jobs_[job].cancelled;
    close(job, *jobs_[job].ended ? State::done : State::failed);
    if (!*jobs_[job].ended && !jobs_[job].cancelled && jobs_[job].stop_on_failure) {
      stop_reason = fmt::format("{} failed and says on_failure: stop", jobs_[job].id);
    }
  }
  for (std::size_t job = first; job < jobs_.size(); ++job) {
    if (entries_[job].state != State::waiting) continue;
    for (const std::size_t need : jobs_[job].needs)
      entries_[job].needs_left += entries_[need].state != State::done ? 1 : 0;
    const std::string reason = stopped_ ? *stopped_ : why_never(job);
    if (!reason.empty()) skip_with_dependants(job, reason, actions);
  }
  queue_.defer();
  for (std::size_t job = first; job < jobs_.size(); ++job) {
    if (entries_[job].state == State::waiting && entries_[job].needs_left == 0) make_ready(job);
  }
  queue_.refresh();
  if (!stop_reason.empty() && !stopped_) stop(stop_reason, actions);
}

Actions Scheduler::begin(std::int64_t now) {
  Actions actions;
  note_time(now);
  admit(0, actions);
  dispatch(actions);
  return actions;
}

Actions Scheduler::add(std::vector<JobRequest> more, std::int64_t now) {
  Actions actions;
  note_time(now);
  const std::size_t first = jobs_.size();
  join(std::move(more));
  admit(first, actions);
  dispatch(actions);
  return actions;
}

bool Scheduler::may_retry(std::size_t job) const {
  const Entry& entry = entries_[job];
  return !stopped_ && !entry.cancelled && entry.attempts <= jobs_[job].retries &&
         pool_.alive(entry.zone) >= jobs_[job].ranks;
}

Actions Scheduler::job_ended(std::size_t job, bool ok, std::int64_t now) {
  Actions actions;
  note_time(now);
  Entry& entry = entries_[job];
  --running_;
  if (!ok && may_retry(job)) {
    rest(job);  // keeps its place in the sweep
  } else {
    close(job, ok ? State::done : State::failed);
    leave_sweep(job);
    if (ok) {
      release_dependants(job);
    } else {
      skip_dependants(job, entry.cancelled ? "was cancelled" : "failed", actions);
      if (jobs_[job].stop_on_failure && !entry.cancelled)
        stop(fmt::format("{} failed and says on_failure: stop", jobs_[job].id), actions);
    }
  }
  dispatch(actions);
  return actions;
}

Actions Scheduler::rank_free(int rank, std::int64_t now) {
  Actions actions;
  note_time(now);
  pool_.give_back(rank);
  dispatch(actions);
  return actions;
}

Actions Scheduler::rank_lost(int rank, Loss loss, std::int64_t now) {
  Actions actions;
  note_time(now);
  pool_.lose(rank, loss == Loss::for_good);
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    if (!not_started(job) || pool_.alive(entries_[job].zone) >= jobs_[job].ranks) continue;
    skip_with_dependants(job, why_never(job), actions);
  }
  dispatch(actions);
  return actions;
}

Actions Scheduler::drain(std::size_t host, bool drained, std::int64_t now) {
  Actions actions;
  note_time(now);
  pool_.set_drained(host, drained);
  dispatch(actions);
  return actions;
}

Actions Scheduler::hold(bool held, std::int64_t now) {
  Actions actions;
  note_time(now);
  held_ = held;
  dispatch(actions);
  return actions;
}

Actions Scheduler::cancel(std::size_t job, std::int64_t now) {
  Actions actions;
  note_time(now);
  if (not_started(job)) skip_with_dependants(job, "it was cancelled", actions, "was cancelled");
  if (entries_[job].state == State::running) entries_[job].cancelled = true;
  dispatch(actions);
  return actions;
}

Actions Scheduler::tick(std::int64_t now) {
  Actions actions;
  const bool is_due = !resting_.empty() && resting_.begin()->first <= now;
  note_time(now);
  if (is_due) dispatch(actions);
  return actions;
}

std::optional<std::int64_t> Scheduler::next_wake() const {
  return resting_.empty() ? std::nullopt : std::optional(resting_.begin()->first);
}

Actions Scheduler::interrupt() {
  Actions actions;
  if (!stopped_) stop("the run was interrupted before it started", actions);
  return actions;
}

bool Scheduler::not_started(std::size_t job) const { return entries_[job].state <= State::resting; }

void Scheduler::note_time(std::int64_t now) {
  now_ = std::max(now_, now);
  wake();
}

// Empty if it may run yet.
std::string Scheduler::why_never(std::size_t job) const {
  const JobRequest& asks = jobs_[job];
  const Entry& entry = entries_[job];
  for (const std::size_t need : asks.needs) {
    const State state = entries_[need].state;
    if (state == State::skipped || state == State::failed) {
      const char* how = entries_[need].cancelled ? "was cancelled" : state == State::failed ? "failed" : "was skipped";
      return fmt::format("needs {}, which {}", jobs_[need].id, how);
    }
  }
  if (entry.attempts > asks.retries)
    return fmt::format("its attempts are used up ({} of {})", entry.attempts, asks.retries + 1);
  const int alive = pool_.alive(entry.zone);
  if (alive >= asks.ranks) return "";
  const std::string with = asks.demand ? fmt::format(" with {}", demand_text(asks.demand)) : "";
  const std::string left = alive == 0 ? "none is" : alive == 1 ? "1 is" : fmt::format("{} are", alive);
  return fmt::format("it asks for {} rank{}{}, and {} left", asks.ranks, asks.ranks == 1 ? "" : "s", with, left);
}

void Scheduler::make_ready(std::size_t job) {
  Entry& entry = entries_[job];
  if (entry.sweep >= 0) {
    Sweep& sweep = sweeps_[static_cast<std::size_t>(entry.sweep)];
    if (sweep.busy >= sweep.limit) {
      entry.state = State::held;
      sweep.held.insert(key_of(job));
      return;
    }
    ++sweep.busy;
  }
  // Attempts before this run: its last one crashed, and brought mpirun down.
  if (entry.attempts > 0) {
    rest(job);
  } else {
    enqueue(job);
  }
}

void Scheduler::enqueue(std::size_t job) {
  entries_[job].state = State::ready;
  queue_.put(job);
}

void Scheduler::rest(std::size_t job) {
  Entry& entry = entries_[job];
  std::int64_t rest = kFirstRestNs;
  for (int attempt = 1; attempt < entry.attempts && rest < kLongestRestNs; ++attempt) rest *= 2;
  entry.state = State::resting;
  entry.rested_ns = now_ + std::min(rest, kLongestRestNs);
  resting_.emplace(entry.rested_ns, job);
}

void Scheduler::wake() {
  while (!resting_.empty() && resting_.begin()->first <= now_) {
    const std::size_t job = resting_.begin()->second;
    resting_.erase(resting_.begin());
    enqueue(job);
  }
}

void Scheduler::leave_sweep(std::size_t job) {
  if (entries_[job].sweep < 0) return;
  Sweep& sweep = sweeps_[static_cast<std::size_t>(entries_[job].sweep)];
  --sweep.busy;
  if (stopped_ || sweep.held.empty()) return;
  const std::size_t next = sweep.held.begin()->second;
  sweep.held.erase(sweep.held.begin());
  make_ready(next);
}

void Scheduler::close(std::size_t job, State state) {
  entries_[job].state = state;
  --open_;
}

void Scheduler::release_dependants(std::size_t job) {
  for (const std::size_t dependant : dependants_[job]) {
    Entry& entry = entries_[dependant];
    if (entry.state == State::waiting && --entry.needs_left == 0) make_ready(dependant);
  }
}

void Scheduler::skip(std::size_t job, std::string reason, Actions& actions) {
  Entry& entry = entries_[job];
  const State before = entry.state;
  if (before == State::ready) queue_.remove(job);
  if (before == State::resting) resting_.erase({entry.rested_ns, job});
  if (before == State::held) sweeps_[static_cast<std::size_t>(entry.sweep)].held.erase(key_of(job));
  close(job, State::skipped);
  if (before == State::ready || before == State::resting) leave_sweep(job);
  actions.skip.push_back({job, std::move(reason)});
}

// Direct dependants name the job that failed; what needs those names them in turn.
void Scheduler::skip_dependants(std::size_t job, const std::string& how, Actions& actions) {
  std::vector<std::pair<std::size_t, std::string>> causes = {{job, how}};
  for (std::size_t next = 0; next < causes.size(); ++next) {
    const auto [cause, what] = causes[next];
    for (const std::size_t dependant : dependants_[cause]) {
      if (entries_[dependant].state != State::waiting) continue;
      skip(dependant, fmt::format("needs {}, which {}", jobs_[cause].id, what), actions);
      causes.emplace_back(dependant, "was skipped");
    }
  }
}

void Scheduler::skip_with_dependants(std::size_t job, std::string reason, Actions& actions, const std::string& how) {
  entries_[job].cancelled = entries_[job].cancelled || how == "was cancelled";
  skip(job, std::move(reason), actions);
  skip_dependants(job, how, actions);
}

void Scheduler::stop(const std::string& reason, Actions& actions) {
  stopped_ = reason;
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    if (not_started(job)) skip(job, reason, actions);
  }
}

}  // namespace edgelab::batch
