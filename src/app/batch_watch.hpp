#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch/control/work.hpp"
#include "batch/session.hpp"
#include "batch/spool/spool.hpp"
#include "results/job_record.hpp"
#include "results/journal_tail.hpp"

namespace edgelab::app {

struct EndedJob {
  std::string id;
  results::Status status = results::Status::done;
  std::string outcome;  // as outcome_text() says it
};

// A batch as it is at one moment.
struct BatchMoment {
  std::string name, host;       // of the batch; of its leader, empty if not known
  std::int64_t running_ns = 0;  // since the run began; 0: not known
  std::string standing;         // what a person should know: that it is over, or doesn't answer; empty: it runs
  bool over = false;            // nothing more will come
  batch::QueueView view;        // of one that can't be asked, what its journal says
  std::vector<EndedJob> ended;  // the latest last
};

// Looks at a batch from outside: asks it through its spool how far its jobs are, and reads from its journal how those that
// ended ended. A batch that can't be asked (it is over, has crashed, runs elsewhere or as somebody else) is told from the
// journal alone. Writes nothing beside the results.
class BatchWatch {
 public:
  // The running batch of that name or id, or the only one if empty. Throws as batch::spool::find_batch.
  static BatchWatch of_running(const std::string& name);
  // The batch of a results file, running or not. Throws Error (environment) if it has no journal.
  static BatchWatch of_results(const std::filesystem::path& results_file);

  // Blocks for as long as the batch takes to answer, a few seconds at most. Throws Error if the journal can't be read.
  BatchMoment look();

 private:
  explicit BatchWatch(std::filesystem::path results_file);
  void read_journal();
  void take(const results::Fact& fact);
  bool ask(BatchMoment& moment);
  void tell_from_journal(BatchMoment& moment) const;
  void add_ended(BatchMoment& moment) const;
  std::string standing_without_answer(bool& over) const;

  std::filesystem::path results_file_;  // absolute
  std::optional<batch::spool::RunningBatch> batch_;
  batch::QueueView view_;  // the last answer
  results::JournalTail journal_;
  batch::SessionReader session_;
  std::vector<std::string> order_;  // ids, as in the job file
  std::map<std::string, std::pair<std::int64_t, EndedJob>>
      ended_;  // by id; the last end of each, numbered as they came
  std::int64_t ends_ = 0;
  results::Provenance provenance_;
  bool complete_ = false;
};

}  // namespace edgelab::app
