#include "batch/supervisor/private_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>

#include "core/file.hpp"

namespace edgelab::batch {

PrivateFolder::PrivateFolder() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  std::string name = (error ? "/tmp" : parent) / "edgelab-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw write_error("a temporary folder can't be made", name, errno);
  path_ = name;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace edgelab::batch
