#pragma once

#include <nlohmann/json_fwd.hpp>

namespace edgelab::app {

// The object on stdout, indented, bytes that are no UTF-8 replaced.
void print_json(const nlohmann::ordered_json& json);

}  // namespace edgelab::app
