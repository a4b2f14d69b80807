#include "core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace edgelab {
namespace {

constexpr const char* kCantRead = "the file can't be read";
constexpr const char* kCantWrite = "the file can't be written";

void check_written(const std::filesystem::path& path, int code) {
  if (code != 0) throw write_error(kCantWrite, path, code);
}

FileDescriptor opened(const std::filesystem::path& path, Links links) {
  // O_NONBLOCK: opening a pipe would wait for a writer that may never come. Regular files don't heed it.
  FileDescriptor file = open_file(path, O_RDONLY | O_NONBLOCK | (links == Links::refuse ? O_NOFOLLOW : 0));
  if (!file.open() && errno == ELOOP && links == Links::refuse)
    throw Error(ErrorKind::environment, "this is a link, and none is followed here").at({path.string()});
  if (!file.open()) throw file_error(kCantRead, path, errno);
  return file;
}

std::vector<std::uint8_t> read_whole(InputFile& file, const std::filesystem::path& path, std::uint64_t max_bytes) {
  const std::uint64_t size = file.size();
  if (size > max_bytes) {
    throw Error(ErrorKind::data, "the file is too large")
        .at({path.string()})
        .got(fmt::format("{} bytes", size))
        .expected(fmt::format("at most {}", max_bytes));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  bytes.resize(file.read(bytes));
  return bytes;
}

void refuse_what_others_may_touch(const struct stat& status, const std::filesystem::path& path) {
  if (status.st_uid != ::geteuid()) {
    throw Error(ErrorKind::environment, "this belongs to another user")
        .at({path.string()})
        .got(fmt::format("user {}", status.st_uid))
        .expected(fmt::format("user {}", ::geteuid()));
  }
  const unsigned others = S_ISDIR(status.st_mode) ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;
  if ((status.st_mode & others) == 0) return;
  throw Error(ErrorKind::environment, S_ISDIR(status.st_mode) ? "this folder is open to others" : "others can write to this file")
      .at({path.string()})
      .got(fmt::format("mode {:04o}", status.st_mode & 07777))
      .hint(fmt::format("chmod go-{} it", S_ISDIR(status.st_mode) ? "rwx" : "w"));
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

FileDescriptor open_file(const std::filesystem::path& path, int flags) {
  return FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, 0666));
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

int sync_file(int descriptor) { return ::fsync(descriptor) == 0 ? 0 : errno; }

int truncate_file(int descriptor, std::uint64_t bytes) {
  return ::ftruncate(descriptor, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
}

int rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

int remove_file(const std::filesystem::path& path) { return ::unlink(path.c_str()) == 0 ? 0 : errno; }

Error file_error(std::string_view what, const std::filesystem::path& path, int code) {
  const char* reason = code == ENOSPC || code == EDQUOT ? "the disk is full" : std::strerror(code);
  return Error(ErrorKind::environment, fmt::format("{}: {}", what, reason)).at({path.string()});
}

Error write_error(std::string_view what, const std::filesystem::path& path, int code) {
  const bool no_room = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return file_error(what, path, code)
      .hint(no_room ? "make room on that disk and run the command again, or name another place" : "name another place");
}

InputFile::InputFile(std::filesystem::path path, Links links) : InputFile(path, opened(path, links)) {}

InputFile::InputFile(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) throw file_error(kCantRead, path_, errno);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::environment, "this is not a file").at({path_.string()});
}

std::uint64_t InputFile::size() const {
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) throw file_error(kCantRead, path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

std::size_t InputFile::read(std::span<std::uint8_t> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = ::read(file_.number(), into.data() + done, into.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw file_error(kCantRead, path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t max_bytes, Links links) {
  InputFile file(path, links);
  return read_whole(file, path, max_bytes);
}

std::vector<std::uint8_t> read_own_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  InputFile file(path, Links::refuse);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw file_error(kCantRead, path, errno);
  refuse_what_others_may_touch(status, path);
  return read_whole(file, path, max_bytes);
}

OutputFile::OutputFile(std::filesystem::path path, Mode mode)
    : path_(std::move(path)),
      file_(open_file(path_, O_WRONLY | O_CREAT | (mode == Mode::create_new ? O_EXCL | O_NOFOLLOW : O_APPEND))) {
  if (!file_.open()) throw write_error(kCantWrite, path_, errno);
}

void OutputFile::write(std::span<const std::byte> bytes) { check_written(path_, write_all(file_.number(), bytes)); }
void OutputFile::truncate() { check_written(path_, truncate_file(file_.number(), 0)); }
void OutputFile::sync() { check_written(path_, sync_file(file_.number())); }

std::uint64_t OutputFile::size() const {
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) throw file_error(kCantRead, path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

PartFile::PartFile(std::filesystem::path path) : path_(std::move(path)), part_(path_) {
  part_ += ".part";
  // Whatever a killed writer left, or somebody planted in a folder that others can write to: a link to lead the write
  // elsewhere, another name of a file of ours to be emptied, a pipe to wait at. None of it is opened.
  remove_file(part_);
  file_ = open_file(part_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!file_.open()) throw write_error("the file can't be made", path_, errno);
}

PartFile::~PartFile() {
  if (file_.open()) remove_file(part_);
}

void PartFile::write(std::span<const std::byte> bytes) { check_written(path_, write_all(file_.number(), bytes)); }

void PartFile::commit() {
  check_written(path_, sync_file(file_.number()));
  if (const int code = rename_file(part_, path_); code != 0)
    throw write_error("the file can't be replaced", path_, code);
  file_ = FileDescriptor();
  sync_folder_of(path_);
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  PartFile file(path);
  file.write(bytes);
  file.commit();
}

void replace_file(const std::filesystem::path& path, std::string_view text) {
  replace_file(path, std::as_bytes(std::span(text)));
}

void sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor file = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (!file.open()) throw file_error("the folder can't be opened", folder, errno);
  const int code = sync_file(file.number());
  if (code != 0 && code != EINVAL) throw write_error("the folder can't be brought to disk", folder, code);
}

void sync_folder_of(const std::filesystem::path& path) {
  sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

void make_own_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) throw write_error("the folder can't be made", folder, errno);
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) throw file_error("the folder can't be opened", folder, errno);
  if (!S_ISDIR(status.st_mode)) throw Error(ErrorKind::environment, "this is not a folder").at({folder.string()});
  refuse_what_others_may_touch(status, folder);
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return;
  if (folder.filename().empty()) return make_folders(folder.parent_path());  // "DIR/"
  make_folders(folder.parent_path());
  const int code = ::mkdir(folder.c_str(), 0777) == 0 ? 0 : errno;
  if (code != 0 && !std::filesystem::is_directory(folder, ignored))  // another process may just have made it
    throw write_error("the folder can't be made", folder, code);
  sync_folder_of(folder);
}

void remove_whole(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) throw file_error("this can't be removed", path, failure.value());
}

void rename_and_sync(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (const int code = rename_file(from, to); code != 0) throw write_error("the new name can't be given", to, code);
  sync_folder_of(to);
}

}  // namespace edgelab
