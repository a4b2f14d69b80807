#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What a host has, as its Machine (core/machine.hpp) tells.
struct HostAbility {
  std::string name;
  std::int64_t memory_bytes = 0;
  std::vector<std::string> features;  // as /proc/cpuinfo names them
  bool away = false;                  // it can't be asked for now, and may have whatever is demanded
};

// The ranks of a run and the hosts that they are on.
struct ClusterHosts {
  std::vector<int> host_of_rank;   // indices into `hosts`
  std::vector<HostAbility> hosts;  // one that nobody described satisfies no demand
};

// The hosts that a job may run on, ascending. Memory is a host's, whatever number of the job's ranks it is given.
std::vector<int> hosts_for(const std::optional<tasks::RequiresSpec>& demand, const ClusterHosts& cluster);

// "2GB of memory and neon-dotprod"; empty for no demand.
std::string demand_text(const std::optional<tasks::RequiresSpec>& demand);

// What the scheduler has to know of a job.
struct JobRequest {
  std::string id;
  int ranks = 1;
  int priority = 0;  // higher goes first
  int retries = 0;
  bool stop_on_failure = false;
  std::vector<std::size_t> needs;             // indices into the list of jobs
  std::string sweep;                          // "" for none
  std::optional<int> max_parallel;            // members of the sweep at once
  std::optional<std::int64_t> bound_ns;       // its time_limit: an attempt runs no longer
  std::optional<tasks::RequiresSpec> demand;  // of each of its hosts
  tasks::Placement placement = tasks::Placement::pack;

  int attempts = 0;           // used up before this run
  std::optional<bool> ended;  // taken over from an earlier run: done, or (false) not to be tried again
  bool cancelled = false;     // where `ended` is false: that is why
};

// Needs that are not in `jobs` are passed over.
std::vector<JobRequest> requests_of(const std::vector<tasks::JobSpec>& jobs);

// One Error (environment) for each job that asks for more ranks than there are, or than its hosts have.
std::vector<Error> cannot_run(const std::vector<tasks::JobSpec>& jobs, const ClusterHosts& cluster);

}  // namespace edgelab::batch
