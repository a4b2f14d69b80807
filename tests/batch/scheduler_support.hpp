#pragma once

#include <string>
#include <utility>
#include <vector>

#include "batch/scheduler.hpp"

namespace edgelab::batch::test {

constexpr std::int64_t kSecond = 1'000'000'000;

// Hosts h0, h1, …; by host its ranks.
inline ClusterHosts hosts_with(const std::vector<int>& ranks) {
  ClusterHosts cluster;
  for (std::size_t host = 0; host < ranks.size(); ++host) {
    cluster.hosts.push_back({"h" + std::to_string(host), 0, {}});
    cluster.host_of_rank.insert(cluster.host_of_rank.end(), static_cast<std::size_t>(ranks[host]),
                                static_cast<int>(host));
  }
  return cluster;
}

inline ClusterHosts one_host(int ranks) { return hosts_with({ranks}); }

inline JobRequest job(const std::string& id, int ranks = 1, std::vector<std::size_t> needs = {}) {
  JobRequest request;
  request.id = id;
  request.ranks = ranks;
  request.needs = std::move(needs);
  return request;
}

inline JobRequest bounded(const std::string& id, int ranks, std::int64_t seconds) {
  JobRequest request = job(id, ranks);
  request.bound_ns = seconds * kSecond;
  return request;
}

inline JobRequest with_memory(JobRequest request, std::int64_t bytes) {
  request.demand = tasks::RequiresSpec{bytes, {}};
  return request;
}

inline std::vector<std::size_t> started(const Actions& actions) {
  std::vector<std::size_t> jobs;
  for (const Start& start : actions.start) jobs.push_back(start.job);
  return jobs;
}

inline std::vector<std::size_t> skipped(const Actions& actions) {
  std::vector<std::size_t> jobs;
  for (const Skip& skip : actions.skip) jobs.push_back(skip.job);
  return jobs;
}

// The job ends and gives its ranks back, one after another; everything that this starts and skips.
inline Actions end(Scheduler& scheduler, const Start& start, bool ok, std::int64_t now) {
  Actions all = scheduler.job_ended(start.job, ok, now);
  for (const int rank : start.ranks) {
    const Actions more = scheduler.rank_free(rank, now);
    all.start.insert(all.start.end(), more.start.begin(), more.start.end());
    all.skip.insert(all.skip.end(), more.skip.begin(), more.skip.end());
  }
  return all;
}

}  // namespace edgelab::batch::test
