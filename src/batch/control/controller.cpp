#include "batch/control/controller.hpp"

#include <fmt/format.h>

#include <utility>

#include "batch/expectations.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

using results::JobRecord;
using results::Status;

std::vector<JobRequest> requests_with(const Work& work) {
  std::map<std::string, bool> over;
  for (const JobRecord& record : work.taken_over) over[record.id] = record.status == Status::done;
  std::vector<JobRequest> requests = requests_of(work.jobs);
  for (JobRequest& request : requests) {
    if (const auto found = over.find(request.id); found != over.end()) request.ended = found->second;
    request.cancelled = request.ended == false && work.cancelled.count(request.id) > 0;
    if (const auto found = work.attempts.find(request.id); found != work.attempts.end()) request.attempts = found->second;
  }
  return requests;
}

ClusterHosts hosts_of(const Work& work, const parallel::HostLayout& layout) {
  ClusterHosts hosts{layout.host_of_rank, work.hosts};
  hosts.hosts.resize(static_cast<std::size_t>(layout.hosts()));
  for (std::size_t host = 0; host < hosts.hosts.size(); ++host) hosts.hosts[host].name = layout.names[host];
  for (const AwayHost& host : work.away) {
    hosts.host_of_rank.insert(hosts.host_of_rank.end(), static_cast<std::size_t>(host.ranks), static_cast<int>(hosts.hosts.size()));
    hosts.hosts.push_back({host.name, 0, {}, true});
  }
  return hosts;
}

std::string seconds(std::int64_t ns) { return fmt::format("{:g} s", static_cast<double>(ns) / 1e9); }

}  // namespace

Controller::Controller(Work work, const parallel::HostLayout& layout, Mailbox& mailbox, Observer observer)
    : jobs_(work.jobs),
      content_keys_(work.content_keys),
      layout_(layout),
      mailbox_(mailbox),
      observer_(std::move(observer)),
      scheduler_(requests_with(work), hosts_of(work, layout)),
      supervised_(work.supervised),
      death_of_(std::move(work.death_of)),
      artifacts_(work.artifacts),
      away_(std::move(work.away)),
      cancelled_before_(std::move(work.cancelled)),
      drained_(std::move(work.drained)) {
  for (std::size_t job = 0; job < jobs_.size(); ++job) index_.emplace(jobs_[job].id, job);
  look_at_expectations();
  for (const JobRecord& record : work.taken_over) {
    ended_.emplace(record.id, record.status);
    if (record.status != Status::done) fail_with(1);
    remember(record);
  }
}

void Controller::look_at_expectations() {
  for (const std::string& id : jobs_whose_logits_matter(jobs_)) wants_logits_.insert(id);
  for (const tasks::JobSpec& job : jobs_) {
    for (const tasks::Expectation& expectation : job.expect) compared_.insert(expectation.job);
  }
}

void Controller::begin() {
  for (int host = 0; host < layout_.hosts(); ++host) {
    if (drained_.count(layout_.names[static_cast<std::size_t>(host)]) > 0) apply(scheduler_.drain(static_cast<std::size_t>(host), true, now_ns()));
  }
  for (const std::string& id : cancelled_before_) {
    const auto found = index_.find(id);
    if (found != index_.end() && ended_.count(id) == 0) apply(scheduler_.cancel(found->second, now_ns()));
  }
  for (const int rank : mailbox_.dead()) lose_rank(rank, {"died", ""});  // under an earlier controller
  auto away = static_cast<int>(layout_.host_of_rank.size());  // numbered on from those that are here
  for (const AwayHost& host : away_) {
    for (int i = 0; i < host.ranks; ++i) apply(scheduler_.rank_lost(away++, Scheduler::Loss::until_restart, now_ns()));
  }
  apply(scheduler_.begin(now_ns()));
}

void Controller::apply(const Actions& actions) {
  for (const Skip& skipped : actions.skip) {
    JobRecord record = base_record(skipped.job);
    record.status = Status::skipped;
    record.attempts = 0;
    record.reason = skipped.reason;
    fail_with(1);
    report(record);
  }
  for (const Start& action : actions.start) start(action);
}

void Controller::start(const Start& action) {
  const tasks::JobSpec& job = jobs_[action.job];
  Attempt attempt;
  attempt.job = action.job;
  attempt.number = action.attempt;
  attempt.ranks = action.ranks;
  attempt.started_ns = now_ns();
  attempt.started_wall_ns = wall_clock_ns();
  if (job.time_limit_ns) attempt.deadline_ns = attempt.started_ns + *job.time_limit_ns;
  // Said before the members are told: should one of them crash at once, the journal knows what it was at.
  if (observer_.started) observer_.started(job, action.attempt, action.ranks);
  assign(std::move(attempt));
}

void Controller::assign(Attempt attempt) {
  const tasks::JobSpec& job = jobs_[attempt.job];
  const int tag = free_tag();
  const bool logits = job.keep_logits || wants_logits_.count(job.id) > 0;
  const Assign message{tag, attempt.number, attempt.ranks, job.resolved, logits, artifacts_.folder_of(job.id).string(),
                       artifacts_.weights_for(job)};
  for (const int rank : attempt.ranks) mailbox_.post(rank, Kind::assign, message);
  attempt.running = {attempt.ranks.begin(), attempt.ranks.end()};
  attempts_.emplace(tag, std::move(attempt));
}

void Controller::handle(const Letter& letter) {
  if (letter.kind == Kind::ended) return member_ended(letter.source, decode<Ended>(letter.bytes));
  if (letter.kind == Kind::progress) return note_progress(decode<Progress>(letter.bytes));
  const auto word = decode<Acknowledged>(letter.bytes);
  const auto found = attempts_.find(word.tag);
  if (found == attempts_.end()) return;
  if (word.waited_ns > 0) found->second.waits.push_back({letter.source, word.peer, word.waited_ns});
  found->second.unacknowledged.erase(letter.source);
  release_if_acknowledged(word.tag, found->second);
}

void Controller::note_progress(const Progress& progress) {
  const auto found = attempts_.find(progress.tag);
  if (found == attempts_.end()) return;
  const tasks::ProgressReport& report = progress.report;
  found->second.course.note(report, now_ns());
  if (observer_.progress) observer_.progress(jobs_[found->second.job], report.fraction, report.text);
}

void Controller::member_ended(int rank, const Ended& ended) {
  const auto found = attempts_.find(ended.tag);
  if (found == attempts_.end() || found->second.running.count(rank) == 0) return;  // given up before
  note_end(found->second, rank, ended);
  without(ended.tag, rank);
  apply(scheduler_.rank_free(rank, now_ns()));
}

void Controller::note_end(Attempt& attempt, int rank, const Ended& ended) {
  const auto end = static_cast<MemberEnd>(ended.end);
  if (end == MemberEnd::orphaned) attempt.lost_peer = true;
  if (end == MemberEnd::failed && attempt.failure.empty()) {
    attempt.exit_code = ended.exit_code;
    attempt.failure = attempt.ranks.size() > 1 ? fmt::format("{}: {}", member_name(rank), ended.error) : ended.error;
  }
  if (end != MemberEnd::ok || ended.record.empty()) return;
  attempt.weights = ended.weights;
  try {
    attempt.record = results::job_record_from_bytes(ended.record);
  } catch (const std::exception& error) {
    attempt.failure = fmt::format("rank {} sent a record that can't be read: {}", rank, error.what());
  }
}

// The attempt goes on with the members that are left, towards its end if it has failed; with none left it is over.
void Controller::without(int tag, int rank) {
  const auto found = attempts_.find(tag);
  Attempt& attempt = found->second;
  attempt.running.erase(rank);
  attempt.unacknowledged.erase(rank);
  if (attempt.running.empty()) {
    Attempt over = std::move(attempt);
    attempts_.erase(found);
    finish(std::move(over));
  } else if (!attempt.failure.empty() || attempt.lost_peer) {
    cancel(tag, attempt);
    release_if_acknowledged(tag, attempt);
  }
}

void Controller::cancel(int tag, Attempt& attempt) {
  if (attempt.cancelled) return;
  attempt.cancelled = true;
  attempt.unacknowledged = attempt.running;
  attempt.patience_until_ns = now_ns() + kPatienceNs;
  for (const int rank : attempt.running) mailbox_.post(rank, Kind::cancel, Number{tag});
}

void Controller::interrupt(int tag, Attempt& attempt, const std::string& reason) {
  if (attempt.cancelled) return;  // it has failed already
  attempt.interrupted = true;
  attempt.failure = reason;
  cancel(tag, attempt);
}

void Controller::release_if_acknowledged(int tag, Attempt& attempt) {
  if (!attempt.cancelled || attempt.released || !attempt.unacknowledged.empty()) return;
  attempt.released = true;
  for (const int rank : attempt.running) mailbox_.post(rank, Kind::release, Number{tag});
}

// Before anybody hears that the job is done. Another may need them, so that without them it is not.
void Controller::keep_weights(Attempt& attempt) {
  if (attempt.weights.empty() || !attempt.failure.empty()) return;
  try {
    artifacts_.keep(jobs_[attempt.job], attempt.weights);
  } catch (const Error& error) {
    attempt.exit_code = exit_code_of(error.kind());
    attempt.failure = error.what();
  }
}

void Controller::finish(Attempt attempt) {
  keep_weights(attempt);
  const tasks::JobSpec& job = jobs_[attempt.job];
  if (attempt.late) {
    attempt.failure += words_on_waits(attempt.waits, attempt.ranks.size(), *job.time_limit_ns, [this](int rank) { return member_name(rank); });
  }
  int code = attempt.exit_code;
  JobRecord record = record_of(attempt);
  if (record.status == Status::done) judge_expectations(job, record, code);
  const bool ok = record.status == Status::done;
  if (!ok && scheduler_.may_retry(attempt.job)) {
    if (observer_.will_retry) observer_.will_retry(job, attempt.number, record.reason);
  } else {
    if (!ok) fail_with(code);
    remember(record);
    report(record);
  }
  apply(scheduler_.job_ended(attempt.job, ok, now_ns()));
}

void Controller::tick() {
  const std::int64_t now = now_ns();
  if (const auto wake = scheduler_.next_wake(); wake && *wake <= now) apply(scheduler_.tick(now));
  declare_deaths(now);
  enforce_time_limits(now);
  enforce_patience(now);
  work_on_if_due(now);
  if (finish_by_ns_ == 0 || now < finish_by_ns_) return;
  for (auto& [tag, attempt] : attempts_) interrupt(tag, attempt, "the run was interrupted");
}

void Controller::enforce_time_limits(std::int64_t now) {
  for (auto& [tag, attempt] : attempts_) {
    if (attempt.deadline_ns == 0 || now < attempt.deadline_ns || attempt.cancelled) continue;
    attempt.failure = fmt::format("it ran past its time_limit of {}", seconds(*jobs_[attempt.job].time_limit_ns));
    attempt.late = true;
    cancel(tag, attempt);
  }
}

void Controller::enforce_patience(std::int64_t now) {
  std::vector<int> stuck;
  for (const auto& [tag, attempt] : attempts_) {
    if (attempt.patience_until_ns != 0 && now >= attempt.patience_until_ns) stuck.insert(stuck.end(), attempt.running.begin(), attempt.running.end());
  }
  for (const int rank : stuck) lose_rank(rank, {fmt::format("went on for {} after it was told to stop", seconds(kPatienceNs)), ""});
}

void Controller::lose_rank(int rank, const Death& reason) {
  if (!lost_.emplace(rank, reason.how).second) return;
  if (observer_.rank_lost) observer_.rank_lost(rank, reason.how);
  if (const auto found = attempt_of(rank); found != attempts_.end()) {
    std::string& failure = found->second.failure;
    failure += fmt::format("{}{} {}{}", failure.empty() ? "" : "; ", member_name(rank), reason.how, reason.last_words);
    without(found->first, rank);
  }
  apply(scheduler_.rank_lost(rank, supervised_ ? Scheduler::Loss::until_restart : Scheduler::Loss::for_good, now_ns()));
}

bool Controller::stalled() const {
  if (!supervised_ || !attempts_.empty() || scheduler_.finished()) return false;
  return make_way_until_ns_ != 0 || ((lost_ranks() || !away_.empty()) && !scheduler_.next_wake());
}

void Controller::make_way() {
  const std::int64_t now = now_ns();
  if (make_way_until_ns_ != 0 || now < make_way_again_ns_ || over_at_ns_ != 0) return;
  make_way_until_ns_ = now + kMakeWayNs;
  apply(scheduler_.hold(true, now));
}

void Controller::work_on_if_due(std::int64_t now) {
  if (make_way_until_ns_ == 0 || now < make_way_until_ns_) return;
  make_way_until_ns_ = 0;
  make_way_again_ns_ = now + kWorkOnNs;
  apply(scheduler_.hold(false, now));
}

void Controller::wind_up(std::int64_t grace_ns) {
  if (over_at_ns_ != 0) return;
  const std::int64_t now = now_ns();
  finish_by_ns_ = now + grace_ns / 2;
  over_at_ns_ = now + grace_ns;
  // Jobs that never started are not recorded: ten thousand of them, each made durable, would outlast mpirun's patience.
  scheduler_.interrupt();
}

bool Controller::wound_up() const { return over_at_ns_ != 0 && (attempts_.empty() || now_ns() >= over_at_ns_); }

void Controller::give_up_running() {
  for (auto& [tag, attempt] : attempts_) {
    attempt.interrupted = true;
    attempt.failure = "the run was interrupted";
    report(record_of(attempt));
  }
}

void Controller::fail_with(int code) { exit_codes_.insert(code); }

int Controller::exit_code() const {
  for (const int code : {2, 3, 1}) {
    if (exit_codes_.count(code) > 0) return code;
  }
  return 0;
}

int Controller::free_tag() {
  while (attempts_.count(next_tag_) > 0) next_tag_ = (next_tag_ + 1) % parallel::Communicator::kTagLimit;
  const int tag = next_tag_;
  next_tag_ = (next_tag_ + 1) % parallel::Communicator::kTagLimit;
  return tag;
}

}  // namespace edgelab::batch
