#pragma once

#include <string>
#include <utility>
#include <vector>

namespace edgelab::app {

// Name and version of the libraries that decide numbers, times or files, as loaded (or as compiled against, where a library
// does not tell).
std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace edgelab::app
