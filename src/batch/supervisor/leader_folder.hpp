#pragma once

#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

#include "batch/control/work.hpp"
#include "batch/job_file/batch.hpp"

namespace edgelab::batch {

// A folder by which a supervisor and the leaders that it starts, rank 0 on the same host, tell each other things: the
// supervisor's private one (private_folder.hpp). Each file in it has one writer and is there whole or not.
class LeaderFolder {
 public:
  explicit LeaderFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }

  // The batch: every start gets what the first one got, whatever becomes of the files it was read from. Not as a job file:
  // ten thousand jobs written out are larger than one may be. `origins` don't come along. Throw Error (environment).
  void hand_over(const Batch& batch) const;
  Batch batch() const;

  // The supervisor's side. Before each start, with the hosts that are away:
  void prepare_start(const std::vector<AwayHost>& away) const;
  // Whether the leader of this start has come so far as to lead: MPI has brought all ranks together.
  bool leader_is_up() const;
  // Since its control loop has turned last; 0 before it has for the first time.
  std::chrono::nanoseconds silence() const;
  void say_that_hosts_are_back() const;

  // The leader's side. Failures are passed over: the supervisor draws its own conclusions.
  std::vector<AwayHost> away() const;
  void say_that_leader_is_up() const;
  void beat() const;  // its control loop turns
  bool hosts_are_back() const;

 private:
  std::filesystem::path path_;
};

}  // namespace edgelab::batch
