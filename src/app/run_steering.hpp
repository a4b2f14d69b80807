#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "batch/control/controller.hpp"
#include "batch/job_file/batch.hpp"
#include "batch/session.hpp"
#include "batch/spool/spool.hpp"
#include "results/recorder.hpp"

namespace edgelab::app {

// Carries out what a person asks of the running batch through its spool (batch/spool). What is answered with "done" is in
// the journal before, so that a restart keeps to it.
class RunSteering {
 public:
  using Check = std::function<void(const batch::Batch&)>;  // throws what stands against running it here
  using Say = std::function<void(const std::string&)>;     // a line for who watches the run

  RunSteering(batch::spool::Inbox& inbox, results::Recorder& recorder, std::vector<std::filesystem::path> roots, Check check, Say say);

  void operator()(batch::Controller& controller);  // every turn of the loop

 private:
  batch::spool::Answer carry_out(const batch::spool::Command& command, batch::Controller& controller);
  std::string cancel(const std::string& job, batch::Controller& controller);
  std::string drain(const std::string& host, bool drained, batch::Controller& controller);
  std::string add(const batch::AddedFact& file, batch::Controller& controller);

  batch::spool::Inbox& inbox_;
  results::Recorder& recorder_;
  std::vector<std::filesystem::path> roots_;
  Check check_;
  Say say_;
};

// Folders that the paths of added job files may lead to: the working directory, those of the batch's own job files and
// results, where data sets and weights are looked for, and $EDGELAB_ROOTS (separated by colons).
std::vector<std::filesystem::path> allowed_roots(const batch::Batch& batch, const std::filesystem::path& results_file);

}  // namespace edgelab::app
