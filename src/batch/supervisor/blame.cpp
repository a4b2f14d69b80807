#include "batch/supervisor/blame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <set>

#include "batch/job_file/enum_names.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

constexpr int kMostOrderlyCode = 3;  // docs/jobs.md

// Rank 0's end, if it came to one by itself. Guards report no end with 0.
std::optional<RankEnd> leader_end(const MpirunEnd& end) {
  for (const RankEnd& rank : end.ranks) {
    if (rank.rank != 0) continue;
    return rank.signal == 0 ? std::optional(rank) : std::nullopt;
  }
  return end.code == 0 ? std::optional(RankEnd{}) : std::nullopt;
}

bool is_orderly(int code) { return code <= kMostOrderlyCode || code == kRestartWanted || code == kHostsWanted; }

const std::string* job_of_rank(const SessionState& state, int rank) {
  for (const auto& [job, start] : state.running) {
    if (std::find(start.ranks.begin(), start.ranks.end(), rank) != start.ranks.end()) return &job;
  }
  return nullptr;
}

bool is_killed_leader(const RankEnd& end) { return end.rank == 0 && end.signal == SIGKILL && end.out_of_memory != OutOfMemory::yes; }

// Ranks that ended by themselves and before their time.
std::vector<const RankEnd*> deaths(const MpirunEnd& end) {
  std::vector<const RankEnd*> found;
  for (const RankEnd& rank : end.ranks) {
    if (rank.told || (rank.signal == 0 && is_orderly(rank.code))) continue;
    if (rank.signal != 0 || found.empty()) found.push_back(&rank);
    if (rank.rank == 0) break;
  }
  return found;
}

std::string text_of_mpirun(int code) {
  return code >= 128 ? fmt::format("mpirun was killed by {}", signal_name(code - 128)) : fmt::format("mpirun ended with exit code {}", code);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

results::Fact failed_job(const StartFact& start, const std::string& reason, const tasks::JobSpec& spec, std::int64_t wall_ns) {
  results::JobRecord record;
  record.id = start.job;
  record.task = enum_name(spec.task);
  record.status = results::Status::failed;
  record.attempts = start.attempt;
  record.reason = reason;
  record.config = spec.resolved;
  record.batch = spec.batch;
  record.keep_logits = spec.keep_logits;
  record.started_wall_ns = record.ended_wall_ns = wall_ns;
  for (std::size_t i = 0; i < start.ranks.size(); ++i) {
    results::RankRow row;
    row.rank = static_cast<int>(i);
    row.world_rank = start.ranks[i];
    if (i < start.hosts.size()) row.host = start.hosts[i];
    record.ranks.push_back(std::move(row));
  }
  return {"job", results::to_json_text(record)};
}

}  // namespace

Verdict verdict_of(const MpirunEnd& end, bool complete, bool began) {
  const std::optional<RankEnd> leader = leader_end(end);
  if (!leader) return {};
  const int code = leader->code;
  if (code == kRestartWanted) return {Outcome::restart_wanted, 1, true};
  if (code == kHostsWanted) return {Outcome::hosts_wanted, 1, true};
  // If somebody told it to end, that was mpirun on its way down, or we, who know.
  const bool interrupted = !leader->told && (code == 128 + SIGINT || code == 128 + SIGTERM);
  const bool ended = code == 0 ? complete : code <= kMostOrderlyCode && (complete || !began);
  if (ended || interrupted) return {Outcome::finished, code, true};
  return {Outcome::crashed, code >= 1 && code <= kMostOrderlyCode ? code : 1, true};
}

Finding Blame::find(const MpirunEnd& end, const SessionState& state) {
  Finding finding;
  std::set<std::string> blamed;
  for (const RankEnd* death : deaths(end)) {
    if (finding.what.empty()) finding.what = text_of(*death);
    const std::string* job = job_of_rank(state, death->rank);
    if (const auto last = state.last_job.find(death->rank); job == nullptr && last != state.last_job.end()) {
      finding.survived.push_back({last->second, text_of(*death), death->rank});
    }
    if (job == nullptr || is_killed_leader(*death) || !blamed.insert(*job).second) continue;
    finding.culprits.push_back({*job, text_of(*death) + last_words_of(*death), death->rank});
  }
  finding.explained = !finding.culprits.empty();
  if (finding.explained) return finding;
  if (const std::optional<RankEnd> leader = leader_end(end); leader && leader->code == kRestartWanted) {
    finding.what = finding.survived.empty() ? "a rank hangs in a job that does not stop when told to"
                                            : finding.what + ", and jobs are left that need as many ranks as before";
    finding.explained = true;
  } else if (!end.lost_hosts.empty()) {
    finding.what = fmt::format("{} can't be reached any more", joined(end.lost_hosts));
    finding.explained = true;
  } else {
    if (finding.what.empty()) finding.what = text_of_mpirun(end.code);
    blame_for_unexplained(finding, state);
  }
  return finding;
}

void Blame::blame_for_unexplained(Finding& finding, const SessionState& state) {
  std::map<std::string, int> counts;
  for (const auto& [job, start] : state.running) {
    const auto before = unexplained_.find(job);
    const int count = (before == unexplained_.end() ? 0 : before->second) + 1;
    if (count < kMostUnexplained) {
      counts[job] = count;
    } else {
      finding.culprits.push_back({job, fmt::format("it was at work in {} ends in a row that nothing else explains; the last: {}", count, finding.what), -1});
    }
  }
  unexplained_ = std::move(counts);
}

std::vector<results::Fact> facts_of(const Finding& finding, const SessionState& state, const JobTable& jobs, std::int64_t wall_ns) {
  std::vector<results::Fact> attempts, ends;
  for (const auto& [job, start] : state.running) {
    const auto culprit = std::find_if(finding.culprits.begin(), finding.culprits.end(), [&](const auto& one) { return one.job == job; });
    const bool counts = culprit != finding.culprits.end();
    attempts.push_back({"attempt", body_of(AttemptFact{job, start.attempt, counts, counts ? culprit->reason : "it had to stop: " + finding.what})});
    if (!counts) continue;
    const auto spec = jobs.find(job);
    const auto used = state.attempts.find(job);
    const int retries = spec == jobs.end() ? 0 : spec->second->retries;
    if ((used == state.attempts.end() ? 0 : used->second) < retries) continue;
    ends.push_back(failed_job(start, culprit->reason, spec == jobs.end() ? tasks::JobSpec{} : *spec->second, wall_ns));
  }
  attempts.insert(attempts.end(), std::make_move_iterator(ends.begin()), std::make_move_iterator(ends.end()));
  return attempts;
}

}  // namespace edgelab::batch
