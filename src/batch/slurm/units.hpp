#pragma once

#include <string>
#include <vector>

#include "batch/job_file/batch.hpp"

namespace edgelab::batch::slurm {

// A piece of a batch that Slurm gets by itself.
struct Unit {
  std::string id;                  // of the sweep, or of its first job
  bool sweep = false;              // a job array, with a task for each of `jobs`
  std::vector<std::size_t> jobs;   // by index, in file order
  std::vector<std::size_t> along;  // of a sweep: what its members refer to, which runs with each of them
  std::vector<std::size_t> after;  // units before this one that must have ended well
};

// The batch in pieces, each after those that it waits for: a piece for each sweep, and one for each other job, with the
// jobs that refer to one another in one. Needs between pieces are waited for. Throws JobFileErrors for what that can't
// express: a reference to a member of a sweep, training that every member would repeat, `on_failure: stop`, and pieces that
// wait for one another.
std::vector<Unit> units_of(const Batch& batch);

}  // namespace edgelab::batch::slurm
