#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "batch/control/messages.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What jobs of a run make for each other, in files beside its results on rank 0's host: each job has a folder of its own, for
// its weights and its checkpoints. Ranks elsewhere get the bytes by message: Raspberry Pis share no file system.
class Artifacts {
 public:
  // Empty: there are none, and every folder_of() is empty.
  explicit Artifacts(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // "r.h5" → "r.artifacts"
  static std::filesystem::path folder_beside(const std::filesystem::path& results_file);

  std::filesystem::path folder_of(const std::string& job) const;
  std::filesystem::path weights_of(const std::string& job) const;

  // Writes what the job has made, there and where its `output.model` says: whole and on disk when it returns. Throws Error
  // (environment).
  void keep(const tasks::JobSpec& job, std::span<const std::uint8_t> weights) const;
  // What the job reads of others; a file that is not there is left out, and the job will say so.
  std::vector<JobWeights> weights_for(const tasks::JobSpec& job) const;

 private:
  std::filesystem::path folder_;
};

// Jobs whose weights this one reads: its own model's, its teacher's.
std::vector<std::string> jobs_whose_weights_it_reads(const tasks::JobSpec& job);

}  // namespace edgelab::batch
