#pragma once

#include <filesystem>

#include "core/file.hpp"

namespace edgelab::batch {

// A fresh folder for temporary files that only this user can enter (mode 0700); goes, with all it holds, when the object
// does. A killed owner leaves its folder: the next one to be made removes those of this user whose owner no longer holds
// the lock in them.
class PrivateFolder {
 public:
  PrivateFolder();  // throws Error (environment)
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  FileDescriptor lock_;
};

}  // namespace edgelab::batch
