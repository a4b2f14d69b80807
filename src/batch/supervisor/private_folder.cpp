#include "batch/supervisor/private_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace edgelab::batch {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "edgelab-";
constexpr const char* kLock = "lock";

fs::path parent_folder() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  return error ? "/tmp" : parent;
}

bool is_our_folder(const fs::path& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

// One without a lock file is left alone: its owner may be about to make it.
void remove_if_its_owner_is_dead(const fs::path& folder) {
  const FileDescriptor lock = open_file(folder / kLock, O_RDWR | O_NOFOLLOW);
  if (!lock.open() || flock(lock.number(), LOCK_EX | LOCK_NB) != 0) return;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

void remove_what_dead_owners_left(const fs::path& parent) {
  std::error_code error;
  for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with(kName) && is_our_folder(at->path())) remove_if_its_owner_is_dead(at->path());
  }
}

}  // namespace

PrivateFolder::PrivateFolder() {
  const fs::path parent = parent_folder();
  remove_what_dead_owners_left(parent);
  std::string name = parent / (std::string(kName) + "XXXXXX");
  if (mkdtemp(name.data()) == nullptr) throw write_error("a temporary folder can't be made", name, errno);
  path_ = name;
  // Locked before it has its name: a folder whose lock file nobody holds is a dead owner's.
  const fs::path making = path_ / ".lock";
  lock_ = open_file(making, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!lock_.open() || flock(lock_.number(), LOCK_EX | LOCK_NB) != 0 || std::rename(making.c_str(), (path_ / kLock).c_str()) != 0) {
    throw write_error("a temporary folder can't be locked", path_, errno);
  }
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace edgelab::batch
