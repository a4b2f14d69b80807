#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/control/mailbox.hpp"
#include "batch/control/messages.hpp"
#include "batch/scheduler.hpp"
#include "parallel/host_layout.hpp"
#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What is to be run. `taken_over`: records of jobs that an earlier run finished; they are not run again.
struct Work {
  std::vector<tasks::JobSpec> jobs;
  std::vector<std::string> content_keys;  // by job; may be empty
  std::vector<results::JobRecord> taken_over;
};

// Whoever wants to know. All are called on rank 0's control loop and may be empty.
struct Observer {
  std::function<void(const tasks::JobSpec&, int attempt, const std::vector<int>& ranks)> started;
  std::function<void(const tasks::JobSpec&, double fraction, const std::string& text)> progress;
  std::function<void(const tasks::JobSpec&, const std::string& reason)> will_retry;
  std::function<void(const results::JobRecord&)> ended;  // once a job, for good: done, failed, skipped or interrupted
  std::function<void()> turn;                            // every few milliseconds
};

// Rank 0's side: turns the scheduler's actions into messages and members' messages into the scheduler's events. An
// attempt fails as a whole when one member fails: the others are told to stop, and only when all of them have
// acknowledged are their waits released (parallel/cancel.hpp says why). Used by the control loop only; never blocks.
class Controller {
 public:
  Controller(Work work, const parallel::HostLayout& layout, Mailbox& mailbox, Observer observer);

  void begin();
  void handle(const Letter& letter);  // ended, acknowledged, progress
  void tick();                        // time limits
  void interrupt();                   // running jobs are recorded as interrupted; nothing starts any more
  bool finished() const { return scheduler_.finished() && attempts_.empty(); }
  int exit_code() const;  // 0, or of the failed jobs' codes the first of 2, 3, 1

 private:
  struct Attempt {
    std::size_t job = 0;
    int number = 1;
    std::vector<int> ranks;
    std::set<int> running;         // members that have not ended
    std::set<int> unacknowledged;  // of those, after a cancel
    bool cancelled = false, released = false;
    std::string failure;  // the first member's, or the time limit's
    int exit_code = 1;
    std::int64_t started_wall_ns = 0;
    std::int64_t deadline_ns = 0;  // 0: none
    std::optional<results::JobRecord> record;
  };

  void apply(const Actions& actions);
  void start(const Start& start);
  void member_ended(int rank, const Ended& ended);
  void note_end(Attempt& attempt, int rank, const Ended& ended);
  void cancel(int tag, Attempt& attempt);
  void release_if_acknowledged(int tag, Attempt& attempt);
  void finish(Attempt attempt);
  void judge_expectations(const tasks::JobSpec& job, results::JobRecord& record, int& code);
  results::JobRecord base_record(std::size_t job) const;
  results::JobRecord record_of(const Attempt& attempt) const;
  void remember(const results::JobRecord& record);
  void report(const results::JobRecord& record);
  void fail_with(int code);
  int free_tag();

  std::vector<tasks::JobSpec> jobs_;
  std::vector<std::string> content_keys_;
  parallel::HostLayout layout_;
  Mailbox& mailbox_;
  Observer observer_;
  Scheduler scheduler_;
  std::set<std::string> wants_logits_, compared_;
  std::map<std::string, results::JobRecord> remembered_;  // of jobs that expectations name
  std::map<int, Attempt> attempts_;                       // by tag
  std::set<int> exit_codes_;
  int next_tag_ = 0;
};

}  // namespace edgelab::batch
