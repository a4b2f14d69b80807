#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace edgelab::data {

// The whole of a regular file. Throws Error: environment if it can't be read, data if it is larger than `max_bytes`.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

// An open file descriptor for writing, closed with the object. Every call throws Error (environment) that names the file;
// a full disk is said in as many words.
class OutputFile {
 public:
  enum class Mode { create_new, append };  // create_new: refuses an existing file and never follows a link
  OutputFile(std::filesystem::path path, Mode mode);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::uint8_t> bytes);
  void truncate();             // back to no bytes
  std::uint64_t size() const;  // bytes
  void sync();                 // fsync
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// Makes renames and new names in `folder` last over a power cut. Throws Error (environment).
void sync_folder(const std::filesystem::path& folder);
// As in std::filesystem, with our errors.
void make_folders(const std::filesystem::path& folder);
// The file or folder with all it holds; nothing there is fine.
void remove_whole(const std::filesystem::path& path);
void rename_and_sync(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace edgelab::data
