// The system calls by which edgelab changes a disk, as the linker (--wrap) gives them to a test program: done, and recorded
// if they are below the folder of a RecordedDisk. What the C++ library itself removes (remove_all) is not seen: to the model
// such files stay, which a power cut may do to them anyway.

#include <fcntl.h>
#include <sys/types.h>

#include <atomic>
#include <cstdarg>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "support/power_cut.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::test {
namespace {

struct OpenFile {
  DiskModel::Node node = 0;
  bool append = false;
  std::uint64_t position = 0;
};

std::mutex mutex;  // a test's server, say, closes its sockets meanwhile
RecordedDisk* recorded = nullptr;
std::map<int, OpenFile> open_files;  // on it, by descriptor
std::atomic<bool> no_waiting = false;

OpenFile* open_on_it(int descriptor) {
  const auto found = open_files.find(descriptor);
  return found == open_files.end() ? nullptr : &found->second;
}

std::optional<std::string> place(const char* path) {
  return recorded == nullptr ? std::nullopt : recorded->below(path);
}

void note_open(int descriptor, const std::string& path, int flags) {
  DiskModel& model = recorded->model();
  std::optional<DiskModel::Node> node = model.find(path);
  const bool is_new = !node || ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0);
  if (is_new && (flags & O_CREAT) == 0) throw std::logic_error("'" + path + "' was made unseen");
  if (is_new) node = model.make(path, false);
  if (!is_new && (flags & O_TRUNC) != 0) model.truncate(*node, 0);
  open_files[descriptor] = {*node, (flags & O_APPEND) != 0, 0};
}

}  // namespace

RecordedDisk::RecordedDisk(const std::filesystem::path& root)
    : model_(disk_state_of(root)), root_(std::filesystem::absolute(root).lexically_normal()) {
  if (recorded != nullptr) throw std::logic_error("one recorded disk at a time");
  recorded = this;
}

RecordedDisk::~RecordedDisk() {
  recorded = nullptr;
  open_files.clear();
}

NoWaitForTheDisk::NoWaitForTheDisk() { no_waiting = true; }
NoWaitForTheDisk::~NoWaitForTheDisk() { no_waiting = false; }

std::optional<std::string> RecordedDisk::below(const std::filesystem::path& path) const {
  std::string relative = std::filesystem::absolute(path).lexically_normal().lexically_relative(root_).string();
  if (relative.starts_with("..")) return std::nullopt;
  if (relative == ".") return "";
  while (relative.ends_with('/')) relative.pop_back();
  return relative;
}

std::size_t after_every_cut(const DiskModel& model, std::size_t limit,
                            const std::function<void(const std::filesystem::path&, std::size_t)>& check) {
  const NoWaitForTheDisk quick;
  std::size_t count = 0;
  for (std::size_t changes = 0; changes <= model.changes(); ++changes) {
    for (const DiskState& state : model.after_cut(changes, limit, changes)) {
      const TemporaryDirectory folder;
      put_disk_state(state, folder.path());
      check(folder.path(), changes);
      ++count;
    }
  }
  return count;
}

}  // namespace edgelab::test

using namespace edgelab::test;

extern "C" {

int __real_open(const char* path, int flags, ...);
int __real_close(int descriptor);
ssize_t __real_write(int descriptor, const void* bytes, size_t size);
int __real_fsync(int descriptor);
int __real_ftruncate(int descriptor, off_t size);
int __real_rename(const char* from, const char* to);
int __real_unlink(const char* path);
int __real_mkdir(const char* path, mode_t mode);

int __wrap_open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  const int descriptor = __real_open(path, flags, mode);
  const std::lock_guard lock(mutex);
  if (const auto below = place(path); below && descriptor >= 0) note_open(descriptor, *below, flags);
  return descriptor;
}

int __wrap_close(int descriptor) {
  const std::lock_guard lock(mutex);  // before the number can be given again
  open_files.erase(descriptor);
  return __real_close(descriptor);
}

ssize_t __wrap_write(int descriptor, const void* bytes, size_t size) {
  const ssize_t written = __real_write(descriptor, bytes, size);
  const std::lock_guard lock(mutex);
  if (OpenFile* file = open_on_it(descriptor); file != nullptr && written > 0) {
    const std::uint64_t offset = file->append ? recorded->model().size_of(file->node) : file->position;
    recorded->model().write(file->node, offset, {static_cast<const char*>(bytes), static_cast<std::size_t>(written)});
    file->position = offset + static_cast<std::uint64_t>(written);
  }
  return written;
}

int __wrap_fsync(int descriptor) {
  const int code = no_waiting ? 0 : __real_fsync(descriptor);
  const std::lock_guard lock(mutex);
  if (const OpenFile* file = open_on_it(descriptor); file != nullptr && code == 0) recorded->model().sync(file->node);
  return code;
}

int __wrap_ftruncate(int descriptor, off_t size) {
  const int code = __real_ftruncate(descriptor, size);
  const std::lock_guard lock(mutex);
  if (const OpenFile* file = open_on_it(descriptor); file != nullptr && code == 0)
    recorded->model().truncate(file->node, static_cast<std::uint64_t>(size));
  return code;
}

int __wrap_rename(const char* from, const char* to) {
  const int code = __real_rename(from, to);
  const std::lock_guard lock(mutex);
  const auto source = place(from), target = place(to);
  if (source && target && code == 0) recorded->model().rename(*source, *target);
  return code;
}

int __wrap_unlink(const char* path) {
  const int code = __real_unlink(path);
  const std::lock_guard lock(mutex);
  if (const auto below = place(path); below && code == 0) recorded->model().unlink(*below);
  return code;
}

int __wrap_mkdir(const char* path, mode_t mode) {
  const int code = __real_mkdir(path, mode);
  const std::lock_guard lock(mutex);
  if (const auto below = place(path); below && code == 0) recorded->model().make(*below, true);
  return code;
}

}  // extern "C"
