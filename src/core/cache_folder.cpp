#include "core/cache_folder.hpp"

#include <cstdlib>

namespace edgelab {

std::filesystem::path cache_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const std::filesystem::path given = variable("EDGELAB_CACHE"); !given.empty()) return given;
  const std::filesystem::path home = variable("HOME");
  return (home.empty() ? "/" : home) / ".cache" / "edgelab";
}

}  // namespace edgelab
