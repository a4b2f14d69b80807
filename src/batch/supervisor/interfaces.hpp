#pragma once

#include <string>
#include <vector>

#include "batch/cluster_spec.hpp"

namespace edgelab::batch {

// What `interfaces` of the cluster had best be, as far as its hosts tell within 15 s (doctor/findings.hpp); nothing if that
// can't be told. Blocks.
std::vector<std::string> interfaces_for(const ClusterSpec& cluster);

}  // namespace edgelab::batch
