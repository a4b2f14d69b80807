#include "batch/cluster_spec.hpp"

#include <numeric>

#include "batch/job_file/cluster_reader.hpp"

namespace edgelab::batch {

int ClusterSpec::ranks() const {
  return std::accumulate(hosts.begin(), hosts.end(), 0, [](int sum, const HostSpec& host) { return sum + host.ranks; });
}

ClusterSpec load_cluster(const std::filesystem::path& file) {
  ErrorList errors;
  DocumentReader reader(errors);
  const std::vector<Document> documents{reader.read(file)};
  const std::optional<ClusterSpec> cluster = read_cluster(documents, errors);
  const Document& document = documents.front();
  if (!cluster && !document.incomplete) {
    errors.add(usage_error(document.start, "the file describes no cluster")
                   .hint("add cluster: {hosts: [{name: pi1, ranks: 4}]}"),
               document.start);
  }
  errors.throw_if_any();
  return cluster.value();
}

std::string mpi_host_file(const ClusterSpec& cluster) {
  std::string text;
  for (const HostSpec& host : cluster.hosts) {
    text += (host.user.empty() ? "" : host.user + "@") + host.name + " slots=" + std::to_string(host.ranks) + "\n";
  }
  return text;
}

}  // namespace edgelab::batch
