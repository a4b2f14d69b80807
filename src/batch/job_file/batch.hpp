#pragma once

#include <cstddef>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"
#include "core/error.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What is known of a job beside its spec.
struct JobOrigin {
  std::optional<std::size_t> place_in_sweep;  // of a member: from 0, among all members of its sweep
  std::vector<std::size_t> refers_to;         // the jobs, by index, that its {job: ID} name; each is among its needs
};

// What job files say, after includes, defaults, overrides and sweeps. docs/jobs.md is the user's reference.
struct Batch {
  std::string name;
  std::vector<tasks::JobSpec>
      jobs;              // in the order of the files, sweeps expanded; `needs` holds full ids, sorted by file
  std::vector<JobOrigin> origins;      // by job
  std::optional<ClusterSpec> cluster;  // of the files that describe one
  std::string resolved;  // YAML text of jobs and cluster; it is itself a job file that gives the same jobs and cluster
  std::vector<std::filesystem::path> files;  // every file read, included ones too, absolute, in the order of reading
};

struct LoadOptions {
  std::vector<std::string> set = {};  // "defaults.batch=8", "jobs.pipeline.ranks=2", "name=night"
  // Ids of jobs, sweeps or members of sweeps ("grid[#2]" is the third of grid's); what they need comes with them.
  std::vector<std::string> only = {};
  bool cluster_suffices = false;  // a file that describes a cluster and has no jobs is right too
  // Folders that every path in a job file must lie under, links followed; empty: anywhere.
  std::vector<std::filesystem::path> roots = {};
  // With `only`: what they merely wait for is done, elsewhere; just the jobs that their {job: ID} name come with them.
  bool needs_met = false;
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

// Reads `files` as one batch: each file's defaults apply to its own jobs (and to those of the files that it includes), and so
// do its ids; a job whose id several files have is called NAME/ID, after its file.
// Relative paths in a file start from it, those in `set` from the working directory; weights that don't exist there are
// looked for under $EDGELAB_MODELS. Throws JobFileErrors. Not collective: one rank reads, and sends `resolved` jobs.
Batch load_batch(const std::vector<std::filesystem::path>& files, const LoadOptions& options = {});

// The same for one job file in memory, which stands alone: its paths are absolute and it includes nothing. `name` is for
// messages and for the batch, if the text gives it none.
Batch load_batch_text(const std::string& name, const std::string& text, const LoadOptions& options = {});

// YAML text of jobs that are resolved already: a job file that gives the same jobs, as Batch::resolved is.
std::string resolved_file(const std::string& name, const std::vector<tasks::JobSpec>& jobs,
                          const std::optional<ClusterSpec>& cluster = {});

// The job whose JobSpec::resolved this is, equal in every field but `place`. Paths are taken as they stand: no file is
// looked for, since it may lie on another host. Throws JobFileErrors.
tasks::JobSpec parse_resolved_job(const std::string& json);

// JSON Schema (draft 2020-12) of a job file, for editors; made from the definition that the parser uses.
std::string json_schema();

// The key reference of docs/jobs.md, as Markdown tables; made from the same definition.
std::string key_reference();

}  // namespace edgelab::batch
