#pragma once

#include <filesystem>

#include "core/file.hpp"

namespace edgelab::batch {

// One live supervisor for a results file: d/k.h5 is locked by d/k.lock, which goes when the object does. What a killed
// supervisor leaves locks nobody out: the lock is the kernel's.
class SupervisorLock {
 public:
  // Throws Error (environment) if another process holds it, or it can't be made.
  explicit SupervisorLock(const std::filesystem::path& results_file);
  ~SupervisorLock();
  SupervisorLock(const SupervisorLock&) = delete;
  SupervisorLock& operator=(const SupervisorLock&) = delete;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

}  // namespace edgelab::batch
