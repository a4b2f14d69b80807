#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/control/artifacts.hpp"
#include "batch/control/course.hpp"
#include "batch/control/mailbox.hpp"
#include "batch/control/messages.hpp"
#include "batch/control/waits.hpp"
#include "batch/control/work.hpp"
#include "batch/scheduler.hpp"
#include "parallel/host_layout.hpp"

namespace edgelab::batch {

// Rank 0's side: turns the scheduler's actions into messages and members' messages into the scheduler's events. An
// attempt fails as a whole when one member fails: the others are told to stop, and only when all of them have
// acknowledged are their waits released (core/cancel.hpp says why). Used by the control loop only; never blocks.
//
// A member that goes on for kPatience after it was told to stop is given up with its rank: the attempt ends without it, the
// rank gets no more work, and everybody else goes on.
class Controller {
 public:
  static constexpr std::int64_t kPatienceNs = 10'000'000'000;
  // make_way(): ranks wait at most so long for the last running job, and the next time after that.
  static constexpr std::int64_t kMakeWayNs = 600'000'000'000, kWorkOnNs = 3600'000'000'000;
  // What a rank died of comes by another way than the news that it did.
  static constexpr std::int64_t kReasonPatienceNs = 2'000'000'000;

  Controller(Work work, const parallel::HostLayout& layout, Mailbox& mailbox, Observer observer);

  void begin();
  void handle(const Letter& letter);  // ended, acknowledged, progress
  void tick();                        // time limits, back-off, patience
  bool finished() const { return scheduler_.finished() && attempts_.empty(); }
  // Every job that could run without the lost ranks and the hosts that are away has ended, or there is way for a restart:
  // only that brings the others on. Never without a supervisor; there such jobs are skipped.
  bool stalled() const;
  // Hosts that were away are back, which a restart takes in. Nothing starts any more until what runs has ended and the
  // batch is stalled; if that takes too long work goes on, and there is another try later. May be said again and again.
  void make_way();
  bool lost_ranks() const { return !lost_.empty(); }
  int exit_code() const;  // 0, or of the failed jobs' codes the first of 2, 3, 1

  // A signal came. Nothing starts any more; jobs that run may finish within half of the grace time, are told to stop
  // then (and may save what they need to go on later), and what still runs after all of it is over by wound_up().
  void wind_up(std::int64_t grace_ns);
  bool wound_up() const;
  void give_up_running();  // what runs is recorded as interrupted

  // The rank will not be heard of again, or not soon enough: it died, or is stuck in a job.
  void lose_rank(int rank, const Death& reason);
  // These died and the program goes on (parallel/failures.hpp): they are lost, each as soon as it is known what it died of.
  void ranks_died(const std::vector<int>& ranks);

  // Steering, by a person. The first of each pair throws Error (usage) if the job or host is not one of this batch or it is
  // too late; who keeps a journal calls it, writes, and then the second.
  void refuse_cancel(const std::string& id) const;
  void cancel_job(const std::string& id);
  void refuse_drain(const std::string& host) const;
  void drain(const std::string& host, bool drained);
  void refuse_add(const std::vector<tasks::JobSpec>& jobs) const;
  void add(std::vector<tasks::JobSpec> jobs, std::vector<std::string> content_keys);
  QueueView view() const;
  const std::vector<tasks::JobSpec>& jobs() const { return jobs_; }

 private:
  struct Attempt {
    std::size_t job = 0;
    int number = 1;
    std::vector<int> ranks;
    std::set<int> running;         // members that have not ended
    std::set<int> unacknowledged;  // of those, after a cancel
    bool cancelled = false, released = false;
    bool interrupted = false;  // by a signal or a person: not the job's fault
    bool lost_peer = false;    // a member said so; which one died is told by MPI
    bool late = false;              // it ran past its time limit
    std::vector<MemberWait> waits;  // of its members, as they were told to stop
    std::string failure;            // the first member's, or the time limit's
    int exit_code = 1;
    std::int64_t started_ns = 0, started_wall_ns = 0;
    std::int64_t deadline_ns = 0;        // 0: none
    std::int64_t patience_until_ns = 0;  // 0: not told to stop yet
    Course course;
    std::optional<results::JobRecord> record;
    std::vector<std::uint8_t> weights;  // that it made
  };

  void apply(const Actions& actions);
  void start(const Start& start);
  void assign(Attempt attempt);
  void note_progress(const Progress& progress);
  void member_ended(int rank, const Ended& ended);
  void note_end(Attempt& attempt, int rank, const Ended& ended);
  void without(int tag, int rank);
  std::map<int, Attempt>::iterator attempt_of(int rank);
  void declare_deaths(std::int64_t now);
  void cancel(int tag, Attempt& attempt);
  void interrupt(int tag, Attempt& attempt, const std::string& reason);
  void release_if_acknowledged(int tag, Attempt& attempt);
  void enforce_time_limits(std::int64_t now);
  void enforce_patience(std::int64_t now);
  void work_on_if_due(std::int64_t now);
  void finish(Attempt attempt);
  void keep_weights(Attempt& attempt);
  void judge_expectations(const tasks::JobSpec& job, results::JobRecord& record, int& code);
  void look_at_expectations();
  results::JobRecord base_record(std::size_t job) const;
  results::JobRecord record_of(const Attempt& attempt) const;
  void remember(const results::JobRecord& record);
  void report(const results::JobRecord& record);
  void fail_with(int code);
  int free_tag();
  std::size_t index_of(const std::string& id) const;
  const std::string& host_name(int rank) const;
  std::string member_name(int rank) const;  // "rank 2 on pi3"

  std::vector<tasks::JobSpec> jobs_;
  std::vector<std::string> content_keys_;
  std::map<std::string, std::size_t> index_;  // by id
  parallel::HostLayout layout_;
  Mailbox& mailbox_;
  Observer observer_;
  Scheduler scheduler_;
  bool supervised_ = false;
  std::function<std::optional<Death>(int rank)> death_of_;
  Artifacts artifacts_;
  std::set<std::string> wants_logits_, compared_;
  std::map<std::string, results::JobRecord> remembered_;  // of jobs that expectations name
  std::map<int, Attempt> attempts_;                       // by tag
  std::map<int, std::string> lost_;                       // rank → why
  std::vector<AwayHost> away_;
  std::int64_t make_way_until_ns_ = 0, make_way_again_ns_ = 0;  // until: 0: nobody makes way now
  std::map<int, std::int64_t> undeclared_;                // ranks that died → how long to wait for the reason
  std::set<std::string> cancelled_before_;  // jobs, before a restart
  std::set<std::string> drained_;           // hosts
  std::map<std::string, results::Status> ended_;  // by job
  std::set<int> exit_codes_;
  std::int64_t finish_by_ns_ = 0, over_at_ns_ = 0;  // 0: no signal
  int next_tag_ = 0;
};

}  // namespace edgelab::batch
