#pragma once

#include <nlohmann/json_fwd.hpp>

#include "batch/doctor/facts.hpp"

namespace edgelab::batch::doctor {

// As facts_to_json, as a tree: for the report of all hosts.
nlohmann::ordered_json facts_tree(const HostFacts& facts);

}  // namespace edgelab::batch::doctor
