#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "batch/job_queue.hpp"
#include "batch/job_request.hpp"
#include "batch/rank_pool.hpp"

namespace edgelab::batch {

struct Start {
  std::size_t job = 0;
  int attempt = 1;         // counts from 1
  std::vector<int> ranks;  // host by host; the first leads
};

struct Skip {
  std::size_t job = 0;
  std::string reason;
};

struct Actions {
  std::vector<Start> start;
  std::vector<Skip> skip;
};

// Which job runs where and when. Pure: events in, actions out; no clock (every event says when it is, never going back),
// no I/O, and the same events give the same actions. A decision costs O(log jobs + hosts) for each job that it starts, and
// O(ranks) more if a job has to wait for its ranks; memory is linear in jobs and ranks.
//
// The queue goes by priority, then by the order of the list. Its head is the first ready job that could run on the ranks
// that take jobs. While the head finds too few of them free, jobs behind it may start on what would idle (EASY backfill,
// Lifka 1995): attempts have known bounds, their jobs' time limits, and so have the head's ranks a time by which they are
// free. A job runs ahead if its own bound ends before that time, or if it leaves the head's ranks alone. If an attempt
// without a bound holds ranks that the head waits for, there is no such time: then kMaxOvertakes jobs may run ahead on
// trust, and after that free ranks are kept for the head. Either way the head's turn comes, and after it that of the next,
// so nothing starves.
//
// A failed attempt with retries left rests before the next one, longer each time, and holds no ranks meanwhile.
class Scheduler {
 public:
  static constexpr int kMaxOvertakes = 16;
  static constexpr std::int64_t kFirstRestNs = 500'000'000;       // doubles with every attempt …
  static constexpr std::int64_t kLongestRestNs = 60'000'000'000;  // … up to this

  // `needs` must have no cycle. What can't run on this cluster is skipped at the start; cannot_run says it earlier.
  Scheduler(std::vector<JobRequest> jobs, ClusterHosts cluster);

  Actions begin(std::int64_t now);
  // An attempt is over. A failed one with retries left goes back to the queue; otherwise what needs it is skipped. Its
  // ranks stay taken until rank_free says so of each: members of a failed job end at their own times.
  Actions job_ended(std::size_t job, bool ok, std::int64_t now);
  Actions rank_free(int rank, std::int64_t now);
  // Dead or stuck. For good: jobs that too few ranks are left for are skipped. Else a restart brings it back, and they wait.
  enum class Loss { for_good, until_restart };
  Actions rank_lost(int rank, Loss loss, std::int64_t now);
  // Nothing starts on a drained host. Jobs that only it has the ranks for wait, unless nothing else is left to do: then they
  // are skipped, or wait for the restart that a lost rank waits for.
  Actions drain(std::size_t host, bool drained, std::int64_t now);
  // As long as it is held nothing starts, and nothing is given up: a restart is to come.
  Actions hold(bool held, std::int64_t now);
  // What has not started is skipped. A running attempt is the caller's to stop; it is not retried.
  Actions cancel(std::size_t job, std::int64_t now);
  // Jobs join; they are numbered on from those that there are, which their needs may name too.
  Actions add(std::vector<JobRequest> more, std::int64_t now);
  Actions tick(std::int64_t now);                 // starts what has rested
  std::optional<std::int64_t> next_wake() const;  // when tick has something to do
  Actions interrupt();                            // nothing starts any more; what has not started is skipped

  bool may_retry(std::size_t job) const;  // would job_ended(job, false) now give it another attempt?
  bool finished() const { return open_ == 0; }
  int free_ranks() const { return pool_.free(); }  // on hosts that are not drained
  // What a job that has not started waits for: "for 4 ranks; 2 are free"; empty for any other.
  std::string why_waiting(std::size_t job) const;
  std::int64_t work() const { return queue_.work() + pool_.work() + work_; }  // steps so far; tests bound them

 private:
  enum class State { waiting, held, ready, resting, running, done, failed, skipped };
  struct Entry {
    State state = State::waiting;
    std::size_t needs_left = 0;
    int attempts = 0;
    int overtaken = 0;  // on trust, while it was the head
    int sweep = -1;
    bool cancelled = false;
    RankPool::Zone zone = RankPool::kEverywhere;
    std::int64_t rested_ns = 0;  // resting: until then
  };
  using Key = std::pair<int, std::size_t>;  // (-priority, index): smaller goes first
  struct Sweep {
    int limit = 0;
    int busy = 0;  // ready, resting or running
    std::set<Key> held;
  };
  // What the head of the queue is promised: its ranks at a time. No time: nobody knows when they are free.
  struct Promise {
    std::optional<std::int64_t> time_ns;
    int spare = 0;  // ranks of its zone that it leaves over then
  };
  struct Candidate {
    std::size_t job = 0;
    bool harmless = false;  // by its ranks; else by its bound, or on trust
  };

  // scheduler.cpp: events
  Key key_of(std::size_t job) const { return {-jobs_[job].priority, job}; }
  std::int64_t end_of(std::size_t job, std::int64_t start) const;
  bool not_started(std::size_t job) const;
  void note_time(std::int64_t now);
  void join(std::vector<JobRequest> more);
  void admit(std::size_t first, Actions& actions);
  std::string why_never(std::size_t job) const;
  void make_ready(std::size_t job);
  void enqueue(std::size_t job);
  void rest(std::size_t job);
  void wake();
  void leave_sweep(std::size_t job);
  void close(std::size_t job, State state);
  void release_dependants(std::size_t job);
  void skip(std::size_t job, std::string reason, Actions& actions);
  void skip_dependants(std::size_t job, const std::string& how, Actions& actions);
  void skip_with_dependants(std::size_t job, std::string reason, Actions& actions,
                            const std::string& how = "was skipped");
  void stop(const std::string& reason, Actions& actions);

  // scheduler_dispatch.cpp: who starts
  void dispatch(Actions& actions);
  void start_what_fits(Actions& actions);
  void start(std::size_t job, const RankPool::Zone* last, Actions& actions);
  std::optional<std::size_t> head() const;
  void backfill(std::size_t head, Actions& actions);
  Promise promise_to(std::size_t head) const;
  std::optional<Candidate> candidate(std::size_t head, const Promise& promise) const;
  std::string drained_hosts(RankPool::Zone zone) const;
  std::string lost_hosts(RankPool::Zone zone) const;
  bool give_up_on_drained(Actions& actions);
  std::string why_ready_waits(std::size_t job) const;

  std::vector<JobRequest> jobs_;
  ClusterHosts cluster_;
  RankPool pool_;
  JobQueue queue_;
  std::vector<Entry> entries_;
  std::vector<std::vector<std::size_t>> dependants_;
  std::vector<Sweep> sweeps_;
  std::map<std::string, int> sweep_by_name_;
  std::map<std::pair<std::int64_t, std::vector<std::string>>, RankPool::Zone> zone_by_demand_;
  std::set<std::pair<std::int64_t, std::size_t>> resting_;  // (until, job)
  std::vector<std::int64_t> free_by_;                       // by rank: a taken one is free by then; kNoBound: who knows
  std::int64_t now_ = 0;
  std::size_t open_ = 0;  // neither done, failed nor skipped
  std::size_t running_ = 0;
  std::optional<std::string> stopped_;  // why
  bool held_ = false;
  mutable std::int64_t work_ = 0;
};

}  // namespace edgelab::batch
