#include "batch/control/controller.hpp"

#include <fmt/format.h>

#include <utility>

#include "batch/expectations.hpp"
#include "core/clock.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

using results::JobRecord;
using results::Status;

std::vector<JobRequest> requests_with(const Work& work) {
  std::set<std::string> done;
  for (const JobRecord& record : work.taken_over) done.insert(record.id);
  std::vector<JobRequest> requests = requests_of(work.jobs);
  for (JobRequest& request : requests) request.done = done.count(request.id) > 0;
  return requests;
}

const char* task_name(tasks::Task task) {
  switch (task) {
    case tasks::Task::infer: return "infer";
    case tasks::Task::evaluate: return "evaluate";
    case tasks::Task::train: return "train";
    case tasks::Task::prune: return "prune";
    case tasks::Task::quantize: return "quantize";
    case tasks::Task::bench: return "bench";
  }
  return "";
}

std::string seconds(std::int64_t ns) { return fmt::format("{:g} s", static_cast<double>(ns) / 1e9); }

}  // namespace

Controller::Controller(Work work, const parallel::HostLayout& layout, Mailbox& mailbox, Observer observer)
    : jobs_(work.jobs),
      content_keys_(std::move(work.content_keys)),
      layout_(layout),
      mailbox_(mailbox),
      observer_(std::move(observer)),
      scheduler_(requests_with(work), layout.host_of_rank) {
  for (const std::string& id : jobs_whose_logits_matter(jobs_)) wants_logits_.insert(id);
  for (const tasks::JobSpec& job : jobs_) {
    for (const tasks::Expectation& expectation : job.expect) compared_.insert(expectation.job);
  }
  for (const JobRecord& record : work.taken_over) remember(record);
}

void Controller::begin() { apply(scheduler_.begin()); }

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
  const int tag = free_tag();
  Attempt attempt;
  attempt.job = action.job;
  attempt.number = action.attempt;
  attempt.ranks = action.ranks;
  attempt.running = {action.ranks.begin(), action.ranks.end()};
  attempt.started_wall_ns = wall_clock_ns();
  if (job.time_limit_ns) attempt.deadline_ns = now_ns() + *job.time_limit_ns;
  const Assign message{tag, action.attempt, action.ranks, job.resolved, job.keep_logits || wants_logits_.count(job.id) > 0};
  for (const int rank : action.ranks) mailbox_.post(rank, Kind::assign, message);
  attempts_.emplace(tag, std::move(attempt));
  if (observer_.started) observer_.started(job, action.attempt, action.ranks);
}

void Controller::handle(const Letter& letter) {
  if (letter.kind == Kind::ended) return member_ended(letter.source, decode<Ended>(letter.bytes));
  if (letter.kind == Kind::progress) {
    const auto progress = decode<Progress>(letter.bytes);
    const auto found = attempts_.find(progress.tag);
    if (found != attempts_.end() && observer_.progress) observer_.progress(jobs_[found->second.job], progress.fraction, progress.text);
    return;
  }
  const int tag = decode<Number>(letter.bytes).value;
  const auto found = attempts_.find(tag);
  if (found == attempts_.end()) return;
  found->second.unacknowledged.erase(letter.source);
  release_if_acknowledged(tag, found->second);
}

void Controller::member_ended(int rank, const Ended& ended) {
  const auto found = attempts_.find(ended.tag);
  if (found == attempts_.end() || found->second.running.erase(rank) == 0) return;
  Attempt& attempt = found->second;
  attempt.unacknowledged.erase(rank);
  note_end(attempt, rank, ended);
  if (attempt.running.empty()) {
    Attempt over = std::move(attempt);
    attempts_.erase(found);
    finish(std::move(over));
  } else if (!attempt.failure.empty()) {
    cancel(ended.tag, attempt);
    release_if_acknowledged(ended.tag, attempt);
  }
  apply(scheduler_.rank_free(rank));
}

void Controller::note_end(Attempt& attempt, int rank, const Ended& ended) {
  const auto end = static_cast<MemberEnd>(ended.end);
  if (end == MemberEnd::failed && attempt.failure.empty()) {
    attempt.exit_code = ended.exit_code;
    attempt.failure = ended.error;
    if (attempt.ranks.size() > 1) {
      const std::string& host = layout_.names[static_cast<std::size_t>(layout_.host_of_rank[static_cast<std::size_t>(rank)])];
      attempt.failure = fmt::format("rank {} on {}: {}", rank, host, ended.error);
    }
  }
  if (end != MemberEnd::ok || ended.record.empty()) return;
  try {
    attempt.record = results::job_record_from_bytes(ended.record);
  } catch (const std::exception& error) {
    attempt.failure = fmt::format("rank {} sent a record that can't be read: {}", rank, error.what());
  }
}

void Controller::cancel(int tag, Attempt& attempt) {
  if (attempt.cancelled) return;
  attempt.cancelled = true;
  attempt.unacknowledged = attempt.running;
  for (const int rank : attempt.running) mailbox_.post(rank, Kind::cancel, Number{tag});
}

void Controller::release_if_acknowledged(int tag, Attempt& attempt) {
  if (!attempt.cancelled || attempt.released || !attempt.unacknowledged.empty()) return;
  attempt.released = true;
  for (const int rank : attempt.running) mailbox_.post(rank, Kind::release, Number{tag});
}

void Controller::finish(Attempt attempt) {
  const tasks::JobSpec& job = jobs_[attempt.job];
  int code = attempt.exit_code;
  JobRecord record = record_of(attempt);
  if (record.status == Status::done) judge_expectations(job, record, code);
  const bool ok = record.status == Status::done;
  if (!ok && scheduler_.may_retry(attempt.job)) {
    if (observer_.will_retry) observer_.will_retry(job, record.reason);
  } else {
    if (!ok) fail_with(code);
    remember(record);
    report(record);
  }
  apply(scheduler_.job_ended(attempt.job, ok));
}

void Controller::judge_expectations(const tasks::JobSpec& job, JobRecord& record, int& code) {
  for (const tasks::Expectation& expectation : job.expect) {
    const auto reference = remembered_.find(expectation.job);
    record.expectations.push_back(judge(expectation, record, reference == remembered_.end() ? nullptr : &reference->second));
  }
  record.reason = failures_of(record.expectations);
  if (record.reason.empty()) return;
  record.status = Status::failed;
  code = 1;
}

JobRecord Controller::base_record(std::size_t job) const {
  JobRecord record;
  record.id = jobs_[job].id;
  record.task = task_name(jobs_[job].task);
  record.config = jobs_[job].resolved;
  record.batch = jobs_[job].batch;
  record.keep_logits = jobs_[job].keep_logits;
  if (job < content_keys_.size()) record.content_key = content_keys_[job];
  return record;
}

JobRecord Controller::record_of(const Attempt& attempt) const {
  const JobRecord base = base_record(attempt.job);
  JobRecord record = attempt.record.value_or(base);
  record.id = base.id;
  record.task = base.task;
  record.config = base.config;
  record.content_key = base.content_key;
  record.keep_logits = base.keep_logits;
  record.attempts = attempt.number;
  record.started_wall_ns = attempt.started_wall_ns;
  record.ended_wall_ns = wall_clock_ns();
  for (results::RankRow& row : record.ranks) {
    if (row.rank < 0 || static_cast<std::size_t>(row.rank) >= attempt.ranks.size()) continue;
    row.world_rank = attempt.ranks[static_cast<std::size_t>(row.rank)];
    if (row.host.empty()) row.host = layout_.names[static_cast<std::size_t>(layout_.host_of_rank[static_cast<std::size_t>(row.world_rank)])];
  }
  record.status = attempt.failure.empty() && attempt.record ? Status::done : Status::failed;
  record.reason = record.status == Status::done ? "" : attempt.failure.empty() ? "its leader sent no record" : attempt.failure;
  return record;
}

// Only what later expectations read, so that ten thousand jobs don't fill rank 0's memory.
void Controller::remember(const JobRecord& record) {
  if (compared_.count(record.id) == 0) return;
  JobRecord kept;
  kept.id = record.id;
  kept.status = record.status;
  kept.summary = record.summary;
  kept.ranks = record.ranks;
  if (wants_logits_.count(record.id) > 0) kept.logits = record.logits;
  remembered_.insert_or_assign(record.id, std::move(kept));
}

void Controller::report(const JobRecord& record) {
  if (observer_.ended) observer_.ended(record);
}

void Controller::tick() {
  const std::int64_t now = now_ns();
  for (auto& [tag, attempt] : attempts_) {
    if (attempt.deadline_ns == 0 || now < attempt.deadline_ns || attempt.cancelled) continue;
    attempt.failure = fmt::format("it ran past its time_limit of {}", seconds(*jobs_[attempt.job].time_limit_ns));
    cancel(tag, attempt);
  }
}

void Controller::interrupt() {
  for (auto& [tag, attempt] : attempts_) {
    JobRecord record = base_record(attempt.job);
    record.status = Status::interrupted;
    record.reason = "the run was interrupted";
    record.attempts = attempt.number;
    record.started_wall_ns = attempt.started_wall_ns;
    record.ended_wall_ns = wall_clock_ns();
    report(record);
  }
  // Jobs that never started are not recorded: ten thousand of them, each made durable, would outlast mpirun's patience.
  scheduler_.interrupt();
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
