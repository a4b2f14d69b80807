#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "batch/spool/messages.hpp"
#include "core/file.hpp"

// How a person reaches a batch that runs: through files in a folder of their own. Nothing listens on a network port.
//
//   $EDGELAB_SPOOL, else ~/.cache/edgelab/spool    0700, this user's; on a cluster's shared home every node sees it
//     NAME-PID/                                    one a running batch; its leader holds a lock on `lock`
//       batch.json                                 what it is
//       in/ID.json                                 a command: written aside and renamed, so that it is there whole or not
//       out/ID.json                                its answer, the same way
//
// Links are not followed, and files of other users are refused.
namespace edgelab::batch::spool {

// The folder of all running batches of this user; made if there is none. Throws Error (environment) if it is not theirs alone.
std::filesystem::path root();

struct RunningBatch {
  std::string name;          // of the batch
  std::string id;            // NAME-PID: the name of its folder
  std::string results_file;  // absolute, on `host`
  std::string host;
  std::int64_t pid = 0, started_wall_ns = 0;
};

// The leader's side. One thread uses it.
class Inbox {
 public:
  // Makes the batch known. Throws Error (environment).
  explicit Inbox(RunningBatch batch);
  // Takes the folder away; who still waits for an answer is told by that.
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  struct Letter {
    std::string id;
    Command command;
  };
  // The next command; looks at the disk at most every 100 ms. What can't be read as one is answered with an error here.
  std::optional<Letter> next();
  void answer(const std::string& id, const Answer& answer);

  const RunningBatch& batch() const { return batch_; }

 private:
  std::optional<Letter> open(const std::filesystem::path& file);

  RunningBatch batch_;
  std::filesystem::path folder_;
  FileDescriptor lock_;
  std::int64_t looked_ns_ = 0;
};

// Batches that run now, the oldest first; what dead ones left behind is removed.
std::vector<RunningBatch> running_batches();

// The one that `name` means (its name or id), or the only one there is if `name` is empty. Throws Error: environment if none
// runs, usage if it is not clear which.
RunningBatch find_batch(const std::string& name);

// Hands the command over and waits for the answer. Throws Error (environment) if the batch ends before it answers, or
// doesn't answer in time.
Answer ask(const RunningBatch& batch, const Command& command, std::chrono::seconds patience = std::chrono::seconds(60));

}  // namespace edgelab::batch::spool
