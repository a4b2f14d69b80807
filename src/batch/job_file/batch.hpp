#pragma once

#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What job files say, after includes, defaults, overrides and sweeps. docs/jobs.md is the user's reference.
struct Batch {
  std::string name;
  std::vector<tasks::JobSpec>
      jobs;              // in the order of the files, sweeps expanded; `needs` holds full ids, sorted by file
  std::string resolved;  // YAML text of the above; it is itself a job file that gives the same jobs
  std::vector<std::filesystem::path> files;  // every file read, included ones too, absolute, in the order of reading
};

struct LoadOptions {
  std::vector<std::string> set;   // "defaults.batch=8", "jobs.pipeline.ranks=2", "name=night"
  std::vector<std::string> only;  // ids of jobs, sweeps or members of sweeps; what they need comes with them
};

// Every error that was found, ordered by file and line, none twice. what() is all of them, one a line.
class JobFileErrors : public std::exception {
 public:
  explicit JobFileErrors(std::vector<Error> errors);

  const std::vector<Error>& errors() const { return errors_; }
  int exit_code() const;  // of the errors' exit codes the first of 2, 3, 1
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::vector<Error> errors_;
  std::string message_;
};

// Reads `files` as one batch: each file's defaults apply to its own jobs (and to those of the files that it includes).
// Relative paths in a file start from it, those in `set` from the working directory; weights that don't exist there are
// looked for under $EDGELAB_MODELS. Throws JobFileErrors. Not collective: one rank reads, and sends `resolved` jobs.
Batch load_batch(const std::vector<std::filesystem::path>& files, const LoadOptions& options = {});

// The job whose JobSpec::resolved this is, equal in every field but `place`. Paths are taken as they stand: no file is
// looked for, since it may lie on another host. Throws JobFileErrors.
tasks::JobSpec parse_resolved_job(const std::string& json);

// JSON Schema (draft 2020-12) of a job file, for editors; made from the definition that the parser uses.
std::string json_schema();

// The key reference of docs/jobs.md, as Markdown tables; made from the same definition.
std::string key_reference();

}  // namespace edgelab::batch
