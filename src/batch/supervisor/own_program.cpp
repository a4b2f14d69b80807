#include "batch/supervisor/own_program.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace edgelab::batch {
namespace {

constexpr const char* kSelf = "/proc/self/exe";

}  // namespace

OwnProgram::OwnProgram(std::filesystem::path path) : path_(std::move(path)), file_(open_file(kSelf, O_RDONLY)) {
  if (!file_.open()) throw file_error("this program can't be read", path_, errno);
}

bool OwnProgram::in_place() const {
  struct stat ours {}, there {};
  if (fstat(file_.number(), &ours) != 0 || stat(path_.c_str(), &there) != 0) return false;
  if (ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) return true;
  if (ours.st_size != there.st_size) return false;
  try {
    return sha256_of_file(path_) == sha256_of_file(kSelf);  // installed once more
  } catch (const Error&) {
    return false;
  }
}

void OwnProgram::copy_to(const std::filesystem::path& path) const {
  std::error_code error;
  if (!std::filesystem::copy_file(kSelf, path, std::filesystem::copy_options::overwrite_existing, error)) {
    throw write_error("this program can't be copied", path, error.value());
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
}

}  // namespace edgelab::batch
