#pragma once

#include <filesystem>

namespace edgelab::batch {

// A fresh folder for temporary files that only this user can enter (mode 0700); goes, with all it holds, when the object
// does.
class PrivateFolder {
 public:
  PrivateFolder();  // throws Error (environment)
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace edgelab::batch
