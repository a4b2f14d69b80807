#include "results/recorder.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "results/hdf5/run_file.hpp"
#include "results/idle_power.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::results {
namespace {

constexpr std::int64_t kFirstInterval = 10'000'000'000;
constexpr std::int64_t kLongestInterval = 600'000'000'000;
// Of the time that writing the file took: the results of ten thousand jobs take seconds, in which no job is given out.
constexpr std::int64_t kLeastRest = 20;

// Where there is no journal to go on from, a results file may still stand: it is moved aside as by a run of its own.
Journal open_journal(const std::filesystem::path& results_file, bool resume, const std::vector<std::filesystem::path>& beside) {
  const std::filesystem::path path = journal_path_of(results_file);
  const bool goes_on = resume && std::filesystem::exists(path);
  prepare_output(results_file, goes_on, beside);
  return goes_on ? Journal::append_to(path) : Journal::create(path);
}

}  // namespace

Recorder::Recorder(std::filesystem::path results_file, RunRecord header, bool resume, std::vector<std::string> order,
                   const std::string& session, const std::vector<std::filesystem::path>& beside)
    : results_file_(std::move(results_file)),
      run_(std::move(header)),
      journal_(open_journal(results_file_, resume, beside)),
      next_flush_ns_(now_ns() + kFirstInterval),
      flush_interval_ns_(kFirstInterval) {
  const JournalContent earlier = journal_.take_earlier();
  earlier_ = jobs_from_facts(earlier.facts);
  for (const JobRecord& job : earlier_) earlier_places_.emplace(job.id, earlier_places_.size());
  note_ = earlier.note;
  for (const std::string& id : order) order_.emplace(id, order_.size());
  run_.jobs.clear();
  run_.provenance.complete = false;
  journal_.append("header", frame_json_text(run_, session));
  if (!order.empty()) journal_.append("order", ids_json_text(order));
}

const JobRecord& Recorder::take_over(std::string_view id) {
  const auto found = earlier_places_.find(id);
  if (found == earlier_places_.end()) throw std::out_of_range("no earlier job '" + std::string(id) + "'");
  place(earlier_[found->second]);
  taken_over_.emplace_back(id);
  return *find(id);
}

void Recorder::settle() {
  if (!earlier_.empty()) journal_.append("taken_over", ids_json_text(taken_over_));
}

const JobRecord& Recorder::add(JobRecord job, Durability durability) {
  subtract_idle_power(job, run_.hosts);
  journal_.append("job", to_json_text(job), durability);
  owed_ = journal_.length();
  const std::string id = job.id;
  place(std::move(job));
  return *find(id);
}

bool Recorder::sync_if_due(std::int64_t now) {
  if (journal_.on_disk() < owed_ && now >= next_sync_ns_) {
    sync();
    next_sync_ns_ = now + kSyncInterval;
  }
  return journal_.on_disk() >= owed_;
}

void Recorder::sync() { journal_.bring_to_disk(); }

void Recorder::update_frame(Provenance provenance, std::vector<HostRecord> hosts, LinkTable links) {
  provenance.complete = false;
  run_.provenance = std::move(provenance);
  run_.hosts = std::move(hosts);
  run_.links = std::move(links);
  journal_.append("run", frame_json_text(run_));
  changed_ = true;
}

const JobRecord* Recorder::find(std::string_view id) const {
  const auto rank = order_.find(id);
  if (rank == order_.end()) return nullptr;
  const auto found = std::lower_bound(ranks_.begin(), ranks_.end(), rank->second);
  if (found == ranks_.end() || *found != rank->second) return nullptr;
  return &run_.jobs[static_cast<std::size_t>(found - ranks_.begin())];
}

void Recorder::flush_if_due(std::int64_t now) {
  if (!changed_ || now < next_flush_ns_) return;
  const std::int64_t start = now_ns();
  flush();
  const std::int64_t took = now_ns() - start;
  flush_interval_ns_ = std::min(2 * flush_interval_ns_, kLongestInterval);
  next_flush_ns_ = now + took + std::max(flush_interval_ns_, kLeastRest * took);
}

// A job that the results file tells of is in the journal for good.
void Recorder::flush() {
  sync();
  write_run(results_file_, run_);
  changed_ = false;
}

void Recorder::finish(bool complete) {
  run_.provenance.end_wall_ns = wall_clock_ns();
  run_.provenance.complete = complete;
  journal_.append("run", frame_json_text(run_));
  flush();
}

void Recorder::place(JobRecord job) {
  changed_ = true;
  const std::size_t rank = order_.emplace(job.id, order_.size()).first->second;
  const auto found = std::lower_bound(ranks_.begin(), ranks_.end(), rank);
  const auto place = run_.jobs.begin() + (found - ranks_.begin());
  if (found != ranks_.end() && *found == rank) {
    *place = std::move(job);
    return;
  }
  run_.jobs.insert(place, std::move(job));
  ranks_.insert(found, rank);
}

}  // namespace edgelab::results
