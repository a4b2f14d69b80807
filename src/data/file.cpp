#include "data/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace edgelab::data {
namespace {

Error system_error(std::string_view what, const std::filesystem::path& path, int code) {
  if (code == ENOSPC || code == EDQUOT) {
    return Error(ErrorKind::environment, fmt::format("{}: the disk is full", what))
        .at({path.string()})
        .hint("free some space and run the command again; what is already there is used");
  }
  return Error(ErrorKind::environment, fmt::format("{}: {}", what, std::strerror(code))).at({path.string()});
}

class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw system_error("the file can't be read", path, errno);
  }
  ~InputFile() { close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  struct stat status {};
  if (fstat(file.descriptor(), &status) != 0) throw system_error("the file can't be read", path, errno);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::environment, "this is not a file").at({path.string()});
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes) {
    throw Error(ErrorKind::data, "the file is too large")
        .at({path.string()})
        .got(fmt::format("{} bytes", size))
        .expected(fmt::format("at most {}", max_bytes));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = read(file.descriptor(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("the file can't be read", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

OutputFile::OutputFile(std::filesystem::path path, Mode mode) : path_(std::move(path)) {
  const int how = mode == Mode::create_new ? O_EXCL | O_NOFOLLOW : O_APPEND;
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
  if (descriptor_ < 0) throw system_error("the file can't be written", path_, errno);
}

OutputFile::~OutputFile() { close(descriptor_); }

void OutputFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_error("the file can't be written", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void OutputFile::truncate() {
  if (ftruncate(descriptor_, 0) != 0) throw system_error("the file can't be written", path_, errno);
}

std::uint64_t OutputFile::size() const {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) throw system_error("the file can't be read", path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

void OutputFile::sync() {
  if (fsync(descriptor_) != 0) throw system_error("the file can't be written", path_, errno);
}

void sync_folder(const std::filesystem::path& folder) {
  const InputFile opened(folder);
  // Some network file systems have no fsync for folders and say EINVAL; there is then nothing to do.
  if (fsync(opened.descriptor()) != 0 && errno != EINVAL)
    throw system_error("the folder can't be written", folder, errno);
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw system_error("the folder can't be made", folder, failure.value());
}

void remove_whole(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) throw system_error("this can't be removed", path, failure.value());
}

void rename_and_sync(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failure;
  std::filesystem::rename(from, to, failure);
  if (failure) throw system_error("the new name can't be given", to, failure.value());
  sync_folder(to.parent_path().empty() ? std::filesystem::path(".") : to.parent_path());
}

}  // namespace edgelab::data
