#pragma once

#include <optional>

#include "batch/cluster_spec.hpp"
#include "batch/job_file/document.hpp"
#include "batch/job_file/errors.hpp"

namespace edgelab::batch {

// What the documents of a batch say of its cluster; nothing if none says anything. Reports a cluster without hosts, a host
// listed twice, and two documents that describe different clusters.
std::optional<ClusterSpec> read_cluster(const std::vector<Document>& documents, ErrorList& errors);

Value show_cluster(const ClusterSpec& cluster);

}  // namespace edgelab::batch
