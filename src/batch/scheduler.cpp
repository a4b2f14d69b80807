#include "batch/scheduler.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

namespace edgelab::batch {
namespace {

std::vector<std::vector<std::size_t>> needs_of(const std::vector<JobRequest>& jobs) {
  std::vector<std::vector<std::size_t>> needs;
  for (const JobRequest& job : jobs) needs.push_back(job.needs);
  return needs;
}

}  // namespace

std::vector<JobRequest> requests_of(const std::vector<tasks::JobSpec>& jobs) {
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < jobs.size(); ++i) index.emplace(jobs[i].id, i);
  std::vector<JobRequest> requests;
  for (const tasks::JobSpec& job : jobs) {
    JobRequest request{job.id, job.ranks, job.priority, job.retries, job.stop_on_failure, {}, job.sweep, job.max_parallel, false};
    for (const std::string& need : job.needs) {
      const auto found = index.find(need);
      if (found != index.end()) request.needs.push_back(found->second);
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<Error> too_wide(const std::vector<tasks::JobSpec>& jobs, int available) {
  std::vector<Error> errors;
  for (const tasks::JobSpec& job : jobs) {
    if (job.ranks <= available) continue;
    errors.push_back(Error(ErrorKind::environment, fmt::format("job {} asks for more ranks than there are", job.id))
                         .at(job.place)
                         .got(fmt::format("{} ranks asked", job.ranks))
                         .expected(fmt::format("at most {}", available))
                         .hint(fmt::format("start it with mpirun -n {} edgelab run …", job.ranks)));
  }
  return errors;
}

Scheduler::Scheduler(std::vector<JobRequest> jobs, std::vector<int> host_of_rank)
    : jobs_(std::move(jobs)), graph_(needs_of(jobs_)), pool_(std::move(host_of_rank)), entries_(jobs_.size()), open_(jobs_.size()) {
  build_sweeps();
}

void Scheduler::build_sweeps() {
  std::unordered_map<std::string, int> index;
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    entries_[job].needs_left = graph_.needs(job).size();
    if (jobs_[job].sweep.empty() || !jobs_[job].max_parallel) continue;
    const auto [place, is_new] = index.emplace(jobs_[job].sweep, static_cast<int>(sweeps_.size()));
    if (is_new) sweeps_.push_back({*jobs_[job].max_parallel, 0, {}});
    entries_[job].sweep = place->second;
  }
}

Actions Scheduler::begin() {
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    if (!jobs_[job].done) continue;
    entries_[job].state = State::done;
    --open_;
    release_dependants(job);
  }
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    if (entries_[job].state == State::waiting && entries_[job].needs_left == 0) make_ready(job);
  }
  Actions actions;
  dispatch(actions);
  return actions;
}

bool Scheduler::may_retry(std::size_t job) const { return !stopped_ && entries_[job].attempts <= jobs_[job].retries; }

Actions Scheduler::job_ended(std::size_t job, bool ok) {
  Actions actions;
  Entry& entry = entries_[job];
  if (!ok && may_retry(job)) {
    enqueue(job);  // keeps its place in the sweep
  } else {
    entry.state = ok ? State::done : State::failed;
    --open_;
    leave_sweep(job);
    if (ok) {
      release_dependants(job);
    } else {
      skip_dependants(job, "failed", actions);
      if (jobs_[job].stop_on_failure) stop(fmt::format("{} failed and says on_failure: stop", jobs_[job].id), actions);
    }
  }
  dispatch(actions);
  return actions;
}

Actions Scheduler::rank_free(int rank) {
  pool_.give_back(rank);
  Actions actions;
  dispatch(actions);
  return actions;
}

Actions Scheduler::interrupt() {
  Actions actions;
  stop("the run was interrupted before it started", actions);
  return actions;
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
  enqueue(job);
}

void Scheduler::enqueue(std::size_t job) {
  entries_[job].state = State::ready;
  ready_[jobs_[job].ranks].insert(key_of(job));
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

void Scheduler::release_dependants(std::size_t job) {
  for (const std::size_t dependant : graph_.dependants(job)) {
    Entry& entry = entries_[dependant];
    if (--entry.needs_left == 0 && entry.state == State::waiting && !jobs_[dependant].done) make_ready(dependant);
  }
}

void Scheduler::skip(std::size_t job, std::string reason, Actions& actions) {
  Entry& entry = entries_[job];
  if (entry.state == State::ready) ready_[jobs_[job].ranks].erase(key_of(job));
  const bool in_sweep = entry.state == State::ready;
  if (entry.state == State::held) sweeps_[static_cast<std::size_t>(entry.sweep)].held.erase(key_of(job));
  entry.state = State::skipped;
  --open_;
  if (in_sweep) leave_sweep(job);
  actions.skip.push_back({job, std::move(reason)});
}

// Direct dependants name the job that failed; what needs those names them in turn.
void Scheduler::skip_dependants(std::size_t job, const std::string& how, Actions& actions) {
  std::vector<std::pair<std::size_t, std::string>> causes = {{job, how}};
  for (std::size_t next = 0; next < causes.size(); ++next) {
    const auto [cause, what] = causes[next];
    for (const std::size_t dependant : graph_.dependants(cause)) {
      if (entries_[dependant].state != State::waiting) continue;
      skip(dependant, fmt::format("needs {}, which {}", jobs_[cause].id, what), actions);
      causes.emplace_back(dependant, "was skipped");
    }
  }
}

void Scheduler::stop(const std::string& reason, Actions& actions) {
  stopped_ = true;
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    const State state = entries_[job].state;
    if (state == State::waiting || state == State::held || state == State::ready) skip(job, reason, actions);
  }
}

std::optional<std::size_t> Scheduler::next_to_start() {
  std::optional<Key> head, best;
  for (const auto& [ranks, queue] : ready_) {
    if (queue.empty()) continue;
    const Key first = *queue.begin();
    if (!head || first < *head) head = first;
    if (ranks <= pool_.free() && (!best || first < *best)) best = first;
  }
  if (!best) return std::nullopt;
  if (*best != *head) {
    if (entries_[head->second].overtaken >= kMaxOvertakes) return std::nullopt;
    ++entries_[head->second].overtaken;
  }
  return best->second;
}

void Scheduler::dispatch(Actions& actions) {
  if (stopped_) return;
  while (pool_.free() > 0) {
    const std::optional<std::size_t> job = next_to_start();
    if (!job) return;
    ready_[jobs_[*job].ranks].erase(key_of(*job));
    Entry& entry = entries_[*job];
    entry.state = State::running;
    actions.start.push_back({*job, ++entry.attempts, pool_.take(jobs_[*job].ranks)});
  }
}

}  // namespace edgelab::batch
