#include "results/file_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.hpp"

namespace edgelab::results {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing, int code) {
  throw Error(ErrorKind::environment, std::string(doing) + ": " + std::strerror(code))
      .at({path.string()})
      .hint(code == ENOSPC || code == EFBIG || code == EDQUOT
                ? "make room on that disk, or name another place with --out"
                : "name another place with --out");
}

void write_part(const std::filesystem::path& part, std::span<const std::byte> bytes) {
  // O_NOFOLLOW: in a folder that others can write to, a link planted at this name must not lead the write elsewhere.
  const FileDescriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.open()) fail(part, "the file can't be made", errno);
  if (const int code = write_all(file.number(), bytes); code != 0) fail(part, "the file can't be written", code);
  if (::fsync(file.number()) != 0) fail(part, "the file can't be brought to disk", errno);
}

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.open()) fail(folder, "the folder can't be opened", errno);
  if (::fsync(file.number()) != 0 && errno != EINVAL) fail(folder, "the folder can't be brought to disk", errno);
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::filesystem::path part = path;
  part += ".part";
  try {
    write_part(part, bytes);
    if (std::rename(part.c_str(), path.c_str()) != 0) fail(path, "the file can't be replaced", errno);
  } catch (...) {
    ::unlink(part.c_str());
    throw;
  }
  sync_folder_of(path);
}

void replace_file(const std::filesystem::path& path, std::string_view text) {
  replace_file(path, std::as_bytes(std::span(text)));
}

}  // namespace edgelab::results
