#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace edgelab::models {

// A file in the making: PATH.part until commit(), which syncs it, renames it to PATH and syncs the folder. Dropped
// uncommitted, it is removed and PATH stays as it was. Everything throws Error (environment) with the kernel's reason.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void refuse(int code) const;

  std::filesystem::path path_, part_;
  int descriptor_ = -1;
};

}  // namespace edgelab::models
