#include "batch/job_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "batch/job_file/scalars.hpp"
#include "core/machine.hpp"

namespace edgelab::batch {
namespace {

bool satisfies(const HostAbility& host, const tasks::RequiresSpec& demand) {
  if (host.away) return true;
  if (host.memory_bytes < demand.memory_bytes.value_or(0)) return false;
  return std::all_of(demand.features.begin(), demand.features.end(),
                     [&](const std::string& feature) { return has_feature(host.features, feature); });
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  }
  return text;
}

// What a host lacks: "pi3 has 1.9 GB of memory and no neon-dotprod".
std::string lack_of(const HostAbility& host, const tasks::RequiresSpec& demand) {
  std::vector<std::string> lacks;
  if (host.memory_bytes < demand.memory_bytes.value_or(0)) {
    lacks.push_back(fmt::format("{:.1f} GB of memory", static_cast<double>(host.memory_bytes) / 1e9));
  }
  for (const std::string& feature : demand.features) {
    if (!has_feature(host.features, feature)) lacks.push_back("no " + feature);
  }
  return fmt::format("{} has {}", host.name, joined(lacks));
}

Error more_ranks_than(const tasks::JobSpec& job, std::size_t available) {
  return Error(ErrorKind::environment, fmt::format("job {} asks for more ranks than there are", job.id))
      .at(job.place)
      .got(fmt::format("{} ranks asked", job.ranks))
      .expected(fmt::format("at most {}", available))
      .hint(fmt::format("start it with mpirun -n {} edgelab run …", job.ranks));
}

Error no_host_for(const tasks::JobSpec& job, const ClusterHosts& cluster) {
  constexpr std::size_t kNamed = 3;  // of perhaps a thousand
  std::string lacks;
  for (std::size_t host = 0; host < std::min(cluster.hosts.size(), kNamed); ++host) {
    lacks += (host == 0 ? "" : "; ") + lack_of(cluster.hosts[host], *job.requirements);
  }
  if (const std::size_t more = cluster.hosts.size() - std::min(cluster.hosts.size(), kNamed); more > 0) {
    lacks += fmt::format("; {} more lack{} something too", more, more == 1 ? "s" : "");
  }
  return Error(ErrorKind::environment, fmt::format("no host has what job {} requires", job.id))
      .at(job.place)
      .got(lacks)
      .expected(demand_text(job.requirements))
      .hint("add a host that has it, or change the job's `requires`");
}

Error too_few_on(const std::vector<int>& hosts, std::size_t available, const tasks::JobSpec& job,
                 const ClusterHosts& cluster) {
  std::vector<std::string> names;
  for (const int host : hosts) names.push_back(cluster.hosts[static_cast<std::size_t>(host)].name);
  return Error(ErrorKind::environment,
               fmt::format("job {} asks for more ranks than the hosts that have what it requires", job.id))
      .at(job.place)
      .got(fmt::format("{} ranks with {} asked", job.ranks, demand_text(job.requirements)))
      .expected(fmt::format("at most {}, on {}", available, joined(names)))
      .hint("give those hosts more slots, or ask for less");
}

}  // namespace

std::vector<int> hosts_for(const std::optional<tasks::RequiresSpec>& demand, const ClusterHosts& cluster) {
  std::vector<int> hosts;
  for (std::size_t host = 0; host < cluster.hosts.size(); ++host) {
    if (!demand || satisfies(cluster.hosts[host], *demand)) hosts.push_back(static_cast<int>(host));
  }
  return hosts;
}

std::string demand_text(const std::optional<tasks::RequiresSpec>& demand) {
  std::vector<std::string> parts;
  if (demand && demand->memory_bytes) parts.push_back(write_bytes(*demand->memory_bytes) + " of memory");
  if (demand) parts.insert(parts.end(), demand->features.begin(), demand->features.end());
  return joined(parts);
}

std::vector<JobRequest> requests_of(const std::vector<tasks::JobSpec>& jobs) {
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < jobs.size(); ++i) index.emplace(jobs[i].id, i);
  std::vector<JobRequest> requests;
  for (const tasks::JobSpec& job : jobs) {
    JobRequest request;
    request.id = job.id;
    request.ranks = job.ranks;
    request.priority = job.priority;
    request.retries = job.retries;
    request.stop_on_failure = job.stop_on_failure;
    request.sweep = job.sweep;
    request.max_parallel = job.max_parallel;
    request.bound_ns = job.time_limit_ns;
    request.demand = job.requirements;
    request.placement = job.placement;
    for (const std::string& need : job.needs) {
      const auto found = index.find(need);
      if (found != index.end()) request.needs.push_back(found->second);
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<Error> cannot_run(const std::vector<tasks::JobSpec>& jobs, const ClusterHosts& cluster) {
  std::vector<std::size_t> ranks_on(cluster.hosts.size(), 0);
  for (const int host : cluster.host_of_rank) ++ranks_on[static_cast<std::size_t>(host)];
  std::vector<Error> errors;
  for (const tasks::JobSpec& job : jobs) {
    const auto asked = static_cast<std::size_t>(job.ranks);
    if (asked > cluster.host_of_rank.size()) errors.push_back(more_ranks_than(job, cluster.host_of_rank.size()));
    if (!job.requirements) continue;
    const std::vector<int> hosts = hosts_for(job.requirements, cluster);
    std::size_t available = 0;
    for (const int host : hosts) available += ranks_on[static_cast<std::size_t>(host)];
    if (hosts.empty()) {
      errors.push_back(no_host_for(job, cluster));
    } else if (available < asked && asked <= cluster.host_of_rank.size()) {
      errors.push_back(too_few_on(hosts, available, job, cluster));
    }
  }
  return errors;
}

}  // namespace edgelab::batch
