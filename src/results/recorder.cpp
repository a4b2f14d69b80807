#include "results/recorder.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "results/hdf5/run_file.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::results {
namespace {

constexpr std::int64_t kFirstInterval = 10'000'000'000;
constexpr std::int64_t kLongestInterval = 600'000'000'000;

Journal open_journal(const std::filesystem::path& results_file, bool resume) {
  prepare_output(results_file, resume);
  const std::filesystem::path path = journal_path_of(results_file);
  return resume && std::filesystem::exists(path) ? Journal::append_to(path) : Journal::create(path);
}

}  // namespace

Recorder::Recorder(std::filesystem::path results_file, RunRecord header, bool resume, std::vector<std::string> order)
    : results_file_(std::move(results_file)),
      run_(std::move(header)),
      journal_(open_journal(results_file_, resume)),
      next_flush_ns_(now_ns() + kFirstInterval),
      flush_interval_ns_(kFirstInterval) {
  const JournalContent earlier = journal_.take_earlier();
  earlier_ = run_from_facts(earlier.facts).jobs;
  note_ = earlier.note;
  for (const std::string& id : order) order_.emplace(id, order_.size());
  run_.jobs.clear();
  run_.provenance.complete = false;
  journal_.append("header", frame_json_text(run_));
  if (!order.empty()) journal_.append("order", ids_json_text(order));
}

const JobRecord& Recorder::take_over(std::string_view id) {
  for (const JobRecord& job : earlier_) {
    if (job.id != id) continue;
    place(job);
    return *find(id);
  }
  throw std::out_of_range("no earlier job '" + std::string(id) + "'");
}

const JobRecord& Recorder::add(JobRecord job) {
  journal_.append("job", to_json_text(job));
  const std::string id = job.id;
  place(std::move(job));
  return *find(id);
}

void Recorder::update_frame(Provenance provenance, std::vector<HostRecord> hosts, LinkTable links) {
  provenance.complete = false;
  run_.provenance = std::move(provenance);
  run_.hosts = std::move(hosts);
  run_.links = std::move(links);
  journal_.append("run", frame_json_text(run_));
  changed_ = true;
}

const JobRecord* Recorder::find(std::string_view id) const {
  const auto found =
      std::find_if(run_.jobs.begin(), run_.jobs.end(), [&](const JobRecord& job) { return job.id == id; });
  return found == run_.jobs.end() ? nullptr : &*found;
}

void Recorder::flush_if_due(std::int64_t now) {
  if (!changed_ || now < next_flush_ns_) return;
  flush();
  flush_interval_ns_ = std::min(2 * flush_interval_ns_, kLongestInterval);
  next_flush_ns_ = now + flush_interval_ns_;
}

void Recorder::flush() {
  write_run(results_file_, run_);
  changed_ = false;
}

void Recorder::finish(bool complete) {
  run_.provenance.end_wall_ns = wall_clock_ns();
  run_.provenance.complete = complete;
  journal_.append("run", frame_json_text(run_));
  flush();
}

std::size_t Recorder::rank_of(std::string_view id) const {
  const auto found = order_.find(id);
  return found == order_.end() ? order_.size() : found->second;
}

void Recorder::place(JobRecord job) {
  changed_ = true;
  for (JobRecord& held : run_.jobs) {
    if (held.id != job.id) continue;
    held = std::move(job);
    return;
  }
  const std::size_t rank = rank_of(job.id);
  const auto behind =
      std::find_if(run_.jobs.begin(), run_.jobs.end(), [&](const JobRecord& held) { return rank_of(held.id) > rank; });
  run_.jobs.insert(behind, std::move(job));
}

}  // namespace edgelab::results
