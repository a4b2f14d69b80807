#pragma once

#include <functional>
#include <vector>

#include "results/job_record.hpp"
#include "search/parzen.hpp"
#include "search/trial_log.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// What a search is about.
struct Searched {
  SearchSpec settings;
  std::vector<search::Dimension> space;
  std::function<double(const search::LoggedTrial&)> worth;  // of a trial that did not fail; more is better
  // Tries a point of the space, an empty one for the job's own settings, on this rank alone. What it throws as Error makes the trial one
  // that failed, unless it is the first.
  std::function<results::JobRecord(const std::vector<double>& point, TaskContext& alone)> attempt;
};

struct Found {
  std::vector<double> point;  // the best; empty: the job's own settings
  std::vector<results::TrialRow> trials;
};

// What a task makes of that: the job to run then, without `search`.
struct SearchedJob {
  JobSpec best;
  std::vector<results::TrialRow> trials;
};

// Tries `trials` points, the job's own settings first, each on one rank, as many at once as there are ranks, until they are done or the
// budget is spent. What was tried is kept in context.folder and not tried again after a resume; a search that has ended there has
// ended. Collective; the same answer on all ranks. Throws Error, Cancelled.
Found search_settings(const JobSpec& spec, const Searched& searched, TaskContext& context);

}  // namespace edgelab::tasks
