#include "batch/supervisor/supervisor_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/error.hpp"

namespace edgelab::batch {
namespace {

// False if whoever held the lock before us has removed the file meanwhile.
bool still_there(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat ours {}, there {};
  return fstat(file.number(), &ours) == 0 && lstat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

}  // namespace

SupervisorLock::SupervisorLock(const std::filesystem::path& results_file) : path_(results_file) {
  path_.replace_extension(".lock");
  do {
    file_ = open_file(path_, O_RDWR | O_CREAT | O_NOFOLLOW);
    if (!file_.open()) throw write_error("the lock of the results can't be made", path_, errno);
    if (flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
      throw Error(ErrorKind::environment, "another edgelab submit is at work on these results")
          .at({results_file.string()})
          .hint("wait for it, or name another place with --out");
    }
  } while (!still_there(file_, path_));
}

SupervisorLock::~SupervisorLock() { remove_file(path_); }

}  // namespace edgelab::batch
