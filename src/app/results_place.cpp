#include "app/results_place.hpp"

#include <algorithm>

namespace edgelab::app {

std::filesystem::path results_place(const std::string& out, const std::string& batch_name) {
  std::string name = batch_name;
  std::replace(name.begin(), name.end(), '/', '_');
  const std::filesystem::path file = out.empty() ? std::filesystem::path("results") / (name + ".h5") : std::filesystem::path(out);
  std::error_code ignored;  // if it can't be made, opening the file says why
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  return file;
}

}  // namespace edgelab::app
