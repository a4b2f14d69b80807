#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/job_file/needs.hpp"
#include "batch/rank_pool.hpp"
#include "core/error.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What the scheduler has to know of a job.
struct JobRequest {
  std::string id;
  int ranks = 1;
  int priority = 0;  // higher goes first
  int retries = 0;
  bool stop_on_failure = false;
  std::vector<std::size_t> needs;  // indices into the list of jobs
  std::string sweep;               // "" for none
  std::optional<int> max_parallel;  // members of the sweep at once
  bool done = false;               // taken over from an earlier run
};

// Needs that are not in `jobs` are passed over.
std::vector<JobRequest> requests_of(const std::vector<tasks::JobSpec>& jobs);

// One Error (environment) for each job that asks for more ranks than there are.
std::vector<Error> too_wide(const std::vector<tasks::JobSpec>& jobs, int available);

struct Start {
  std::size_t job = 0;
  int attempt = 1;         // counts from 1
  std::vector<int> ranks;  // ascending; the first leads
};

struct Skip {
  std::size_t job = 0;
  std::string reason;
};

struct Actions {
  std::vector<Start> start;
  std::vector<Skip> skip;
};

// Which job runs where and when. Pure: events in, actions out; no clock, no I/O, and the same events give the same
// actions. A decision costs O(ranks + log jobs) for each job that it starts.
//
// Order: priority, then the order of the job files. The first job that is ready but finds too few free ranks is the head
// of the queue; smaller jobs behind it may use ranks that would idle, but start at most kMaxOvertakes times before it.
// After that free ranks are kept for it, so a wide job waits for a bounded number of others. Running times are unknown
// here; with predictions a backfill that delays nobody becomes possible.
class Scheduler {
 public:
  static constexpr int kMaxOvertakes = 16;

  // Requires that every job's ranks are at most the number of ranks (too_wide) and that needs have no cycle.
  Scheduler(std::vector<JobRequest> jobs, std::vector<int> host_of_rank);

  Actions begin();
  // An attempt is over. A failed one with retries left goes back to the queue; otherwise what needs it is skipped. Its ranks
  // stay taken until rank_free says so of each: members of a failed job end at their own times.
  Actions job_ended(std::size_t job, bool ok);
  Actions rank_free(int rank);
  // Nothing starts any more; what has not started is skipped.
  Actions interrupt();

  bool may_retry(std::size_t job) const;  // would job_ended(job, false) now give it another attempt?
  bool finished() const { return open_ == 0; }
  int free_ranks() const { return pool_.free(); }

 private:
  enum class State { waiting, held, ready, running, done, failed, skipped };
  struct Entry {
    State state = State::waiting;
    std::size_t needs_left = 0;
    int attempts = 0;
    int overtaken = 0;
    int sweep = -1;
  };
  struct Sweep {
    int limit = 0;  // 0: none
    int busy = 0;   // ready or running
    std::set<std::pair<int, std::size_t>> held;
  };
  using Key = std::pair<int, std::size_t>;  // (-priority, index): smaller goes first

  Key key_of(std::size_t job) const { return {-jobs_[job].priority, job}; }
  void build_sweeps();
  void make_ready(std::size_t job);
  void enqueue(std::size_t job);
  void leave_sweep(std::size_t job);
  void release_dependants(std::size_t job);
  void skip(std::size_t job, std::string reason, Actions& actions);
  void skip_dependants(std::size_t job, const std::string& how, Actions& actions);
  void stop(const std::string& reason, Actions& actions);
  void dispatch(Actions& actions);
  std::optional<std::size_t> next_to_start();

  std::vector<JobRequest> jobs_;
  NeedsGraph graph_;
  RankPool pool_;
  std::vector<Entry> entries_;
  std::vector<Sweep> sweeps_;
  std::map<int, std::set<Key>> ready_;  // by ranks asked
  std::size_t open_ = 0;                // neither done, failed nor skipped
  bool stopped_ = false;
};

}  // namespace edgelab::batch
