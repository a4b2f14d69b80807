#include "app/print_json.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace edgelab::app {

void print_json(const nlohmann::ordered_json& json) {
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace edgelab::app
