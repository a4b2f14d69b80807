// The Controller's side of `edgelab queue`, `cancel`, `drain` and of jobs that join a running batch.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "batch/control/controller.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace edgelab::batch {
namespace {

using results::Status;

const char* name_of(Status status) {
  switch (status) {
    case Status::done: return "is done";
    case Status::failed: return "has failed";
    case Status::skipped: return "was skipped";
    case Status::interrupted: return "was interrupted";
  }
  return "";
}

std::string did_you_mean(const std::string& near) { return near.empty() ? "" : fmt::format("did you mean \"{}\"?", near); }

}  // namespace

std::size_t Controller::index_of(const std::string& id) const {
  const auto found = index_.find(id);
  if (found != index_.end()) return found->second;
  std::vector<std::string> ids;
  for (const tasks::JobSpec& job : jobs_) ids.push_back(job.id);
  throw Error(ErrorKind::usage, fmt::format("this batch has no job \"{}\"", id)).hint(did_you_mean(nearest_name(id, ids)));
}

void Controller::refuse_cancel(const std::string& id) const {
  index_of(id);
  if (const auto over = ended_.find(id); over != ended_.end()) {
    throw Error(ErrorKind::usage, fmt::format("job \"{}\" {} already", id, name_of(over->second)));
  }
}

void Controller::cancel_job(const std::string& id) {
  const std::size_t job = index_of(id);
  const auto running = std::find_if(attempts_.begin(), attempts_.end(), [job](const auto& entry) { return entry.second.job == job; });
  if (running != attempts_.end()) interrupt(running->first, running->second, "it was cancelled");
  apply(scheduler_.cancel(job, now_ns()));
}

void Controller::refuse_drain(const std::string& host) const {
  if (std::find(layout_.names.begin(), layout_.names.end(), host) == layout_.names.end()) {
    throw Error(ErrorKind::usage, fmt::format("this batch has no host \"{}\"", host))
        .expected(fmt::format("one of: {}", fmt::join(layout_.names, ", ")))
        .hint(did_you_mean(nearest_name(host, layout_.names)));
  }
}

void Controller::drain(const std::string& host, bool drained) {
  if (drained) {
    drained_.insert(host);
  } else {
    drained_.erase(host);
  }
  for (int number = 0; number < layout_.hosts(); ++number) {
    if (layout_.names[static_cast<std::size_t>(number)] == host) apply(scheduler_.drain(static_cast<std::size_t>(number), drained, now_ns()));
  }
}

void Controller::refuse_add(const std::vector<tasks::JobSpec>& jobs) const {
  if (over_at_ns_ != 0) throw Error(ErrorKind::usage, "the batch is being interrupted and takes no more jobs");
  for (const tasks::JobSpec& job : jobs) {
    if (index_.count(job.id) > 0) {
      throw Error(ErrorKind::usage, fmt::format("the batch has a job \"{}\" already", job.id)).at(job.place).hint("give it another id");
    }
  }
}

void Controller::add(std::vector<tasks::JobSpec> jobs, std::vector<std::string> content_keys) {
  const std::size_t before = jobs_.size();
  content_keys_.resize(before);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    index_.emplace(jobs[i].id, before + i);
    content_keys_.push_back(i < content_keys.size() ? std::move(content_keys[i]) : "");
    jobs_.push_back(std::move(jobs[i]));
  }
  look_at_expectations();
  std::vector<JobRequest> requests = requests_of(jobs_);
  requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(before));
  apply(scheduler_.add(std::move(requests), now_ns()));
}

QueueView Controller::view() const {
  QueueView view;
  view.jobs = jobs_.size();
  view.ranks = static_cast<int>(layout_.host_of_rank.size());
  view.free_ranks = scheduler_.free_ranks();
  view.drained.assign(drained_.begin(), drained_.end());
  for (const auto& [rank, reason] : lost_) view.lost_ranks.push_back(fmt::format("{} {}", member_name(rank), reason));
  for (const AwayHost& host : away_) {
    view.lost_ranks.push_back(fmt::format("{} rank{} on {} can't be reached for now", host.ranks, host.ranks == 1 ? "" : "s", host.name));
  }
  for (const auto& [id, status] : ended_) {
    ++(status == Status::done ? view.done : status == Status::failed ? view.failed : view.skipped);
  }
  std::set<std::size_t> running;
  for (const auto& [tag, attempt] : attempts_) {
    running.insert(attempt.job);
    std::vector<std::string> hosts;
    for (const int rank : attempt.ranks) {
      if (std::find(hosts.begin(), hosts.end(), host_name(rank)) == hosts.end()) hosts.push_back(host_name(rank));
    }
    const std::int64_t now = now_ns();
    const Course& course = attempt.course;
    QueueRow row{jobs_[attempt.job].id, attempt.cancelled ? "ending" : "running", attempt.number, jobs_[attempt.job].ranks,
                 fmt::format("{}", fmt::join(hosts, " ")), now - attempt.started_ns, course.fraction(),
                 attempt.cancelled ? attempt.failure : course.text()};
    row.losses = course.losses().points();
    row.rates = course.rates().points();
    row.left_ns = attempt.cancelled ? 0 : course.left_ns(now);
    view.rows.push_back(std::move(row));
  }
  view.running = running.size();
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    if (running.count(job) > 0 || ended_.count(jobs_[job].id) > 0) continue;
    if (++view.waiting > QueueView::kMostWaitingRows) continue;
    view.rows.push_back({jobs_[job].id, "waiting", 0, jobs_[job].ranks, "", 0, 0, scheduler_.why_waiting(job)});
  }
  return view;
}

}  // namespace edgelab::batch
