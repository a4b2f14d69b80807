#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "batch/control/artifacts.hpp"
#include "batch/job_file/batch.hpp"
#include "batch/session.hpp"
#include "results/job_record.hpp"
#include "results/recorder.hpp"

// What an earlier run into the same file means for this one.
namespace edgelab::app {

std::vector<std::string> ids_of(const std::vector<tasks::JobSpec>& jobs);

// What the journal tells of the run's past, if it goes on from one.
struct Past {
  batch::SessionState state;
  bool same_session = false;  // a restart by the supervisor, and not a new attempt by a person
};

// Nothing where there is no journal, or the run does not resume. `session`: the supervisor's, empty without one.
Past past_of(const std::filesystem::path& file, bool resume, const std::string& session);

// Jobs that joined the batch while it ran belong to it from then on.
void join_added(batch::Batch& batch, const std::vector<batch::AddedFact>& added);

// With --only the other jobs of the earlier run stay in the file, whatever became of them.
void keep_left_out(results::Recorder& recorder, const batch::Batch& batch);

// Takes over the records that stand for their jobs still, and returns them. `keys`: the jobs' content keys.
// A job whose weights others read must have left them in `artifacts`.
std::vector<results::JobRecord> take_over(results::Recorder& recorder, const batch::Batch& batch, const std::vector<std::string>& keys,
                                          const Past& past, const batch::Artifacts& artifacts);

}  // namespace edgelab::app
