#include "batch/job_file/cluster_reader.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "batch/job_file/binding.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {
namespace {

// Host names know no upper and lower case.
std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return text;
}

void check_hosts(const Value& cluster, ErrorList& errors) {
  const Value* hosts = cluster.find("hosts");
  if (!hosts) {
    errors.add(usage_error(cluster.place, "the cluster has no hosts").hint("add hosts: [{name: pi1, ranks: 4}]"),
               cluster.place);
    return;
  }
  std::map<std::string, int> first_lines;
  for (const Value& host : hosts->items) {
    const Value* name = host.find("name");
    if (!name || name->bad) continue;
    const auto [first, fresh] = first_lines.emplace(lower(name->text), name->place.line);
    if (fresh) continue;
    errors.add(usage_error(name->place, "the host \"" + name->text + "\" is listed twice; the first is at line " +
                                            std::to_string(first->second))
                   .hint("list it once, with the ranks of both"),
               name->place);
  }
}

}  // namespace

std::optional<ClusterSpec> read_cluster(const std::vector<Document>& documents, ErrorList& errors) {
  std::optional<ClusterSpec> cluster;
  for (const Document& document : documents) {
    if (!document.cluster.is_map()) continue;
    if (!document.incomplete) check_hosts(document.cluster, errors);
    ClusterSpec spec;
    fill_section(cluster_section(), &spec, document.cluster, nullptr);
    if (cluster && *cluster != spec) {
      errors.add(usage_error(document.cluster.place, "the files describe different clusters")
                     .hint("a batch runs on one: describe it in one file that the others include"),
                 document.cluster.place);
    }
    if (!cluster) cluster = std::move(spec);
  }
  return cluster;
}

Value show_cluster(const ClusterSpec& cluster) { return show_section(cluster_section(), &cluster); }

}  // namespace edgelab::batch
