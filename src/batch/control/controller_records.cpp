// The Controller's records: what is said of a job once it is over.
#include <fmt/format.h>

#include <utility>

#include "batch/control/controller.hpp"
#include "batch/expectations.hpp"
#include "batch/job_file/enum_names.hpp"
#include "core/clock.hpp"

namespace edgelab::batch {

using results::JobRecord;
using results::Status;

JobRecord Controller::base_record(std::size_t job) const {
  JobRecord record;
  record.id = jobs_[job].id;
  record.task = enum_name(jobs_[job].task);
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
    if (row.host.empty()) row.host = host_name(row.world_rank);
  }
  const bool done = attempt.failure.empty() && attempt.record && !attempt.lost_peer;
  record.status = attempt.interrupted ? Status::interrupted : done ? Status::done : Status::failed;
  record.reason = attempt.failure;
  if (record.status != Status::done && record.reason.empty()) record.reason = attempt.lost_peer ? "a rank of it died" : "its leader sent no record";
  return record;
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

// Only what later expectations read, so that ten thousand jobs don't fill rank 0's memory.
void Controller::remember(const JobRecord& record) {
  if (compared_.count(record.id) == 0) return;
  JobRecord kept;
  kept.id = record.id;
  kept.status = record.status;
  kept.summary = record.summary;
  kept.ranks = record.ranks;
  if (wants_logits_.count(record.id) > 0) kept.logits = record.logits;
  for (const results::LayerRow& layer : record.layers) {
    kept.layers.emplace_back();
    kept.layers.back().name = layer.name;
    kept.layers.back().time_ns = layer.time_ns;
  }
  remembered_.insert_or_assign(record.id, std::move(kept));
}

void Controller::report(const JobRecord& record) {
  ended_.insert_or_assign(record.id, record.status);
  if (observer_.ended) observer_.ended(record);
}

const std::string& Controller::host_name(int rank) const {
  return layout_.names[static_cast<std::size_t>(layout_.host_of_rank[static_cast<std::size_t>(rank)])];
}

std::string Controller::member_name(int rank) const { return fmt::format("rank {} on {}", rank, host_name(rank)); }

}  // namespace edgelab::batch
