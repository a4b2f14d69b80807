#include "app/batch_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "app/run_display.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "results/journal.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::app {
namespace {

namespace fs = std::filesystem;
using results::Status;

constexpr std::chrono::seconds kPatience{3};

std::optional<batch::spool::RunningBatch> running_with(const fs::path& results_file) {
  for (batch::spool::RunningBatch& batch : batch::spool::running_batches()) {
    if (fs::path(batch.results_file).lexically_normal() == results_file) return std::move(batch);
  }
  return std::nullopt;
}

}  // namespace

BatchWatch::BatchWatch(fs::path results_file)
    : results_file_(std::move(results_file)), journal_(results::journal_path_of(results_file_)) {}

BatchWatch BatchWatch::of_running(const std::string& name) {
  batch::spool::RunningBatch batch = batch::spool::find_batch(name);
  BatchWatch watch(fs::path(batch.results_file).lexically_normal());
  watch.batch_ = std::move(batch);
  return watch;
}

BatchWatch BatchWatch::of_results(const fs::path& results_file) {
  BatchWatch watch(fs::absolute(results_file).lexically_normal());
  const fs::path journal = results::journal_path_of(watch.results_file_);
  if (!fs::exists(journal)) {
    throw Error(ErrorKind::environment, "no batch has written to these results: their journal is missing")
        .at({journal.string()})
        .hint("name the file that edgelab run writes to (--out), or a running batch with --batch");
  }
  return watch;
}

BatchMoment BatchWatch::look() {
  read_journal();
  BatchMoment moment;
  if (!batch_) batch_ = running_with(results_file_);
  if (!batch_ || !ask(moment)) tell_from_journal(moment);
  add_ended(moment);
  return moment;
}

// But for those that are tried again.
void BatchWatch::add_ended(BatchMoment& moment) const {
  std::set<std::string> not_over;
  for (const batch::QueueRow& row : moment.view.rows) not_over.insert(row.id);
  std::vector<const std::pair<std::int64_t, EndedJob>*> over;
  for (const auto& [id, end] : ended_) {
    if (!not_over.contains(id)) over.push_back(&end);
  }
  std::sort(over.begin(), over.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* end : over) moment.ended.push_back(end->second);
}

// False if the batch has gone.
bool BatchWatch::ask(BatchMoment& moment) {
  try {
    batch::spool::Answer answer = batch::spool::ask(*batch_, {}, kPatience);
    if (answer.exit_code != 0) throw Error(ErrorKind::environment, answer.text);
    view_ = std::move(answer.view);
  } catch (const Error& error) {
    const auto still = running_with(results_file_);
    if (!still || still->id != batch_->id) {
      batch_ = still;
      read_journal();  // what it wrote last
      return false;
    }
    moment.standing = "it does not answer; this is how it was";
  }
  moment.name = batch_->id;
  moment.host = batch_->host;
  moment.running_ns = std::max<std::int64_t>(0, wall_clock_ns() - batch_->started_wall_ns);
  moment.view = view_;
  return true;
}

void BatchWatch::read_journal() {
  results::JournalTail::News news = journal_.look();
  if (news.anew) {
    session_ = {};
    order_.clear();
    ended_.clear();
    complete_ = false;
  }
  for (const results::Fact& fact : news.facts) take(fact);
}

void BatchWatch::take(const results::Fact& fact) {
  session_.read(fact);
  complete_ = false;
  if (fact.type == "header" || fact.type == "run") {
    provenance_ = results::frame_from_json_text(fact.body).provenance;
    complete_ = provenance_.complete;
  } else if (fact.type == "order") {
    order_ = results::ids_from_json_text(fact.body);
  } else if (fact.type == "taken_over") {
    const std::vector<std::string> ids = results::ids_from_json_text(fact.body);
    const std::set<std::string> kept(ids.begin(), ids.end());
    std::erase_if(ended_, [&](const auto& job) { return !kept.contains(job.first); });
  } else if (fact.type == "job") {
    const results::JobRecord record = results::job_record_from_json_text(fact.body);
    ended_.insert_or_assign(record.id, std::pair(ends_++, EndedJob{record.id, record.status, outcome_text(record)}));
  }
}

std::string BatchWatch::standing_without_answer(bool& over) const {
  over = false;
  if (results::is_written(results::journal_path_of(results_file_)))
    return "it runs, out of reach of this terminal: this is what its journal says";
  fs::path lock = results_file_;
  if (fs::exists(lock.replace_extension(".lock"))) return "nothing runs now: its supervisor has it in hand";
  over = true;
  return complete_ ? "it has ended, with every job"
                   : "it has ended before its time: edgelab run --resume goes on with the rest";
}

void BatchWatch::tell_from_journal(BatchMoment& moment) const {
  moment.name = results_file_.filename().string();
  moment.standing = standing_without_answer(moment.over);
  if (moment.over && provenance_.end_wall_ns > provenance_.start_wall_ns)
    moment.running_ns = provenance_.end_wall_ns - provenance_.start_wall_ns;
  const batch::SessionState& session = session_.state();
  batch::QueueView& view = moment.view;
  view.ranks = view.free_ranks = provenance_.ranks;
  std::set<std::string> known;
  for (const auto& [id, start] : session.running) {
    if (moment.over) break;
    known.insert(id);
    const std::set<std::string> hosts(start.hosts.begin(), start.hosts.end());
    const auto ranks = static_cast<int>(start.ranks.size());
    view.rows.push_back({id, "running", start.attempt, ranks, fmt::format("{}", fmt::join(hosts, " ")), 0, 0, ""});
    view.free_ranks -= ranks;
  }
  view.running = view.rows.size();
  for (const auto& [id, end] : ended_) {
    const Status status = end.second.status;
    // What failed in an earlier session is tried again in this one.
    if (known.contains(id) || !(moment.over || status == Status::done || session.ended.contains(id))) continue;
    known.insert(id);
    ++(status == Status::done ? view.done : status == Status::failed ? view.failed : view.skipped);
  }
  for (const std::string& id : order_) {
    if (!known.contains(id)) view.rows.push_back({id, "waiting", 0, 1, "", 0, 0, ""});
  }
  view.waiting = view.rows.size() - view.running;
  view.jobs = view.done + view.failed + view.skipped + view.rows.size();
}

}  // namespace edgelab::app
