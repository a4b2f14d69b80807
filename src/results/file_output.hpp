#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace edgelab::results {

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

// Writes all bytes, however many calls that takes. Returns 0 or the errno that stopped it.
int write_all(int descriptor, std::span<const std::byte> bytes);

// fsync of the folder that holds `path`, so that a name made or renamed there survives a power cut. Errors of file systems
// that have no such thing (EINVAL) are ignored; others throw Error (environment).
void sync_folder_of(const std::filesystem::path& path);

// Replaces `path` by a file with these bytes, or leaves it as it was: writes PATH.part, fsync, rename, fsync of the folder.
// Throws Error (environment) after removing PATH.part.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace edgelab::results
