#include "models/safetensors/part_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace edgelab::models {

PartFile::PartFile(std::filesystem::path path) : path_(std::move(path)), part_(path_) {
  part_ += ".part";
  descriptor_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) refuse(errno);
}

PartFile::~PartFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(part_.c_str());
}

void PartFile::refuse(int code) const {
  throw Error(ErrorKind::environment, "can't write the file").at({path_.string()}).got(std::strerror(code));
}

void PartFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PartFile::commit() {
  if (fsync(descriptor_) != 0) refuse(errno);
  if (rename(part_.c_str(), path_.c_str()) != 0) refuse(errno);
  close(std::exchange(descriptor_, -1));
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) refuse(errno);
  const int code = fsync(directory) == 0 ? 0 : errno;
  close(directory);
  if (code != 0) refuse(code);
}

}  // namespace edgelab::models
