#include "app/earlier_run.hpp"

#include <map>
#include <set>
#include <utility>

#include "batch/expectations.hpp"

namespace edgelab::app {

using results::JobRecord;
using results::Status;

std::vector<std::string> ids_of(const std::vector<tasks::JobSpec>& jobs) {
  std::vector<std::string> ids;
  for (const tasks::JobSpec& job : jobs) ids.push_back(job.id);
  return ids;
}

Past past_of(const std::filesystem::path& file, bool resume, const std::string& session) {
  Past past;
  const std::filesystem::path journal = results::journal_path_of(file);
  if (!resume || !std::filesystem::exists(journal)) return past;
  past.state = batch::session_of(results::read_journal(journal).facts);
  past.same_session = !session.empty() && past.state.id == session;
  return past;
}

void join_added(batch::Batch& batch, const std::vector<batch::AddedFact>& added) {
  const std::vector<std::string> list = ids_of(batch.jobs);
  std::set<std::string> known(list.begin(), list.end());
  for (const batch::AddedFact& file : added) {
    for (tasks::JobSpec& job : batch::load_batch_text(file.name, file.text).jobs) {
      if (known.insert(job.id).second) batch.jobs.push_back(std::move(job));
    }
  }
  if (!added.empty()) batch.resolved = batch::resolved_file(batch.name, batch.jobs, batch.cluster);
}

void keep_left_out(results::Recorder& recorder, const batch::Batch& batch) {
  const std::vector<std::string> list = ids_of(batch.jobs);
  const std::set<std::string> here(list.begin(), list.end());
  std::vector<std::string> others;
  for (const JobRecord& record : recorder.earlier()) {
    if (here.count(record.id) == 0) others.push_back(record.id);
  }
  for (const std::string& id : others) recorder.take_over(id);
}

namespace {

// Whether an earlier record stands for the job still. One whose logits are to be compared must have left them. What failed
// or was cancelled within the session stays so; a supervisor's word on a crashed job has no key, but the job's text.
bool stands(const JobRecord& record, const tasks::JobSpec& job, const std::string& key, bool wants_logits, const Past& past) {
  if (record.content_key.empty() ? record.config != job.resolved : record.content_key != key) return false;
  if (record.status == Status::done) return !wants_logits || !record.logits.empty();
  const auto ended = past.state.ended.find(record.id);
  if (!past.same_session || ended == past.state.ended.end()) return false;
  return record.status == Status::failed || past.state.cancelled.count(record.id) > 0;
}

}  // namespace

std::vector<JobRecord> take_over(results::Recorder& recorder, const batch::Batch& batch, const std::vector<std::string>& keys, const Past& past,
                                 const batch::Artifacts& artifacts) {
  const std::vector<std::string> list = batch::jobs_whose_logits_matter(batch.jobs);
  const std::set<std::string> wants_logits(list.begin(), list.end());
  std::set<std::string> without_weights;
  for (const tasks::JobSpec& job : batch.jobs) {
    for (const std::string& id : batch::jobs_whose_weights_it_reads(job)) {
      if (!std::filesystem::exists(artifacts.weights_of(id))) without_weights.insert(id);
    }
  }
  std::map<std::string, const JobRecord*> earlier;
  for (const JobRecord& record : recorder.earlier()) earlier[record.id] = &record;
  std::vector<JobRecord> taken;
  for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
    const auto found = earlier.find(batch.jobs[i].id);
    if (found == earlier.end() || !stands(*found->second, batch.jobs[i], keys[i], wants_logits.count(found->first) > 0, past)) continue;
    if (found->second->status == Status::done && without_weights.count(found->first) > 0) continue;
    taken.push_back(recorder.take_over(found->first));
  }
  return taken;
}

}  // namespace edgelab::app
