#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "batch/job_file/batch.hpp"

// What is handed to Slurm for a batch: calls of sbatch with cluster/slurm/edgelab.sbatch, as argument vectors. Pure: nothing
// is read, written or run in here. What a job file says reaches sbatch and the batch script as whole arguments only, and
// neither gives an argument to a shell to read.
namespace edgelab::batch::slurm {

struct Request {
  std::vector<std::filesystem::path> files;
  LoadOptions load;           // what the batch was loaded with; in an array's tasks, what each loads beside its own job
  std::filesystem::path out;  // results file
  bool resume = false;
  std::optional<int> ranks;                 // of the allocation; empty: those of the widest job
  bool arrays = false;                      // each sweep as a job array
  std::vector<std::string> sbatch_options;  // of the user, one argument each
};

// One call of sbatch.
struct Submission {
  std::string title;                   // "labs", or with arrays "labs: grid (6 tasks)"
  std::vector<std::string> options;    // of sbatch, all but --dependency
  std::vector<std::string> arguments;  // of the batch script
  std::vector<std::size_t> after;      // earlier submissions, by index, that must have ended well
  std::filesystem::path results;       // %a in it: the array task's number
  std::filesystem::path output;        // what the job prints; with Slurm's patterns
  bool operator==(const Submission&) const = default;
};

// Without `arrays` one submission of the whole batch. With them one of each sweep, whose array tasks run a member each, and
// one of each other job, or of several that refer to one another; where a job needs another, its submission comes after the
// other's. What a sweep's members refer to runs with each of them anew. Throws JobFileErrors: for jobs wider than the ranks
// asked for, and for what job arrays can't express.
std::vector<Submission> plan(const Batch& batch, const Request& request);

// The argument vector of sbatch, which prints the id and nothing else; it reads the script from its standard input.
// `ids`: Slurm's ids of the submissions before this one.
std::vector<std::string> sbatch_command(const Submission& submission, const std::vector<std::string>& ids);

}  // namespace edgelab::batch::slurm
