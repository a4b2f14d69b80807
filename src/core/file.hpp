#pragma once

// Files as edgelab reads and writes them; all that it keeps on disk goes through here. What throws throws Error
// (environment) that names the file, unless said otherwise; a full disk is said in as many words.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace edgelab {

// An open file that closes itself. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// The calls themselves, for who must look at the errno before saying anything; what is below writes through them.
//
// As open(2), closed on exec, the umask alone saying who may read a new file. Not open, with errno set, if refused.
FileDescriptor open_file(const std::filesystem::path& path, int flags);
// These return 0 or the errno that stopped them.
int write_all(int descriptor, std::span<const std::byte> bytes);  // however many calls that takes
int sync_file(int descriptor);
int truncate_file(int descriptor, std::uint64_t bytes);
int rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
int remove_file(const std::filesystem::path& path);

// What an errno means to the user: "WHAT: REASON" at `path`. write_error also says what to do about it.
Error file_error(std::string_view what, const std::filesystem::path& path, int code);
Error write_error(std::string_view what, const std::filesystem::path& path, int code);

enum class Links { follow, refuse };  // where the name itself is a symbolic link; folders above it may be

// A regular file, open for reading; a pipe, device or folder is refused, not waited for.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path, Links links = Links::follow);
  // A file that is open already; it is read from where it stands.
  InputFile(std::filesystem::path path, FileDescriptor file);

  std::uint64_t size() const;                     // bytes
  std::size_t read(std::span<std::uint8_t> into);  // how many; fewer than asked for only where the file ends
  int number() const { return file_.number(); }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

// The whole of an InputFile. Throws Error (data) if it is larger than `max_bytes`.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                                    Links links = Links::follow);

// The same for a file that nobody else may have made or changed: refuses links, files of other users, and files that others
// can write to.
std::vector<std::uint8_t> read_own_file(const std::filesystem::path& path, std::uint64_t max_bytes);

// A file written in place, under its own name from the first byte on.
class OutputFile {
 public:
  enum class Mode { create_new, append };  // create_new: refuses an existing file and never follows a link
  OutputFile(std::filesystem::path path, Mode mode);

  void write(std::span<const std::byte> bytes);
  void truncate();             // back to no bytes
  std::uint64_t size() const;  // bytes
  void sync();                 // fsync
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

// A file in the making: PATH.part until commit(), which syncs it, renames it to PATH and syncs the folder, so that PATH is
// at any moment what it was or the whole new file. Dropped uncommitted, PATH.part is removed and PATH stays as it was.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  std::filesystem::path path_, part_;
  FileDescriptor file_;
};

// A PartFile with these bytes, committed.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void replace_file(const std::filesystem::path& path, std::string_view text);

// fsync of the folder, or of the one that holds `path`: a name made or renamed there then survives a power cut. File
// systems that have no such thing (EINVAL: some over a network) are left at that.
void sync_folder(const std::filesystem::path& folder);
void sync_folder_of(const std::filesystem::path& path);

// Makes the folder, for this user alone (0700), if there is none; its parent must exist. One that is there must be this
// user's own, no link, and closed to others, or it is refused.
void make_own_folder(const std::filesystem::path& folder);

// The folder and those above it. Those it made are on disk when it returns.
void make_folders(const std::filesystem::path& folder);
// The file or folder with all it holds; nothing there is fine.
void remove_whole(const std::filesystem::path& path);
// The rename is on disk when it returns.
void rename_and_sync(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace edgelab
