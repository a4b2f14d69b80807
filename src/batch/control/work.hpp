#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/scheduler.hpp"
#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// A host of the cluster that can't be reached for now; its supervisor goes on asking, and starts anew once it answers.
struct AwayHost {
  std::string name;
  int ranks = 1;
};

// What a rank of the world died of.
struct Death {
  std::string how;         // "was killed by SIGSEGV (segmentation fault)", to be put behind the rank's name
  std::string last_words;  // "; its last words: …", or empty
};

// What is to be run, and what an earlier run of it has done.
struct Work {
  std::vector<tasks::JobSpec> jobs;
  std::vector<std::string> content_keys;  // by job; may be empty
  // Records of jobs that are over and are not run again: done ones, and after a restart within a session the others too.
  std::vector<results::JobRecord> taken_over;
  std::map<std::string, int> attempts;  // used up by jobs that are not over
  std::set<std::string> cancelled;      // jobs
  std::set<std::string> drained;        // hosts
  std::vector<HostAbility> hosts;       // by host, as the layout numbers them; may be empty
  // A supervisor waits: a rank that is lost can be had back by a restart, so no job is skipped for want of it.
  bool supervised = false;
  std::vector<AwayHost> away;  // as lost, all their ranks
  // Nothing while nobody knows. Empty: nobody ever will.
  std::function<std::optional<Death>(int rank)> death_of;
  // What jobs make for each other, and their checkpoints; empty: nothing of the kind is kept.
  std::filesystem::path artifacts;
};

// Whoever wants to know. All are called on rank 0's control loop and may be empty.
struct Observer {
  std::function<void(const tasks::JobSpec&, int attempt, const std::vector<int>& ranks)> started;
  std::function<void(const tasks::JobSpec&, double fraction, const std::string& text)> progress;
  std::function<void(const tasks::JobSpec&, int attempt, const std::string& reason)> will_retry;
  std::function<void(const results::JobRecord&)> ended;  // once a job, for good: done, failed, skipped or interrupted
  std::function<void(int rank, const std::string& reason)> rank_lost;
  std::function<void()> turn;  // every few milliseconds
};

// A batch at one moment, for `edgelab queue`.
struct QueueRow {
  std::string id, state;  // "running", "waiting"
  int attempt = 0, ranks = 1;
  std::string hosts;            // "pi1 pi2"
  std::int64_t running_ns = 0;  // since the attempt began
  double fraction = 0;          // done, as far as the job tells
  std::string text;             // what it does, or what it waits for
  std::vector<double> losses = {}, rates = {};  // of training; samples a second: from the attempt's begin to now, thinned out; empty: not told
  std::int64_t left_ns = 0;     // about, until it ends; 0: can't be told
};

struct QueueView {
  std::size_t jobs = 0, done = 0, failed = 0, skipped = 0, running = 0, waiting = 0;
  int ranks = 0, free_ranks = 0;
  std::vector<std::string> drained;     // hosts
  std::vector<std::string> lost_ranks;  // "rank 2 on pi3: …", "4 ranks on pi4 can't be reached for now"
  std::vector<QueueRow> rows;           // running ones, then waiting ones in the order of the batch, at most kMostWaitingRows
  static constexpr std::size_t kMostWaitingRows = 1000;
};

}  // namespace edgelab::batch
