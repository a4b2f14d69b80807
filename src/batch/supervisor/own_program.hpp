#pragma once

#include <filesystem>

#include "core/file.hpp"

namespace edgelab::batch {

// The program that this process runs, over all the hours that a batch may take: somebody may build or install another one
// under its name meanwhile.
class OwnProgram {
 public:
  // `path`: where it lies. Throws Error (environment).
  explicit OwnProgram(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  // Whether the same bytes still lie there.
  bool in_place() const;
  // Writes it to `path`, executable. Throws Error (environment).
  void copy_to(const std::filesystem::path& path) const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;  // the kernel keeps what is open, whatever its name becomes
};

}  // namespace edgelab::batch
