#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

#include "core/file.hpp"

namespace edgelab::fuzz {

// Bytes under a path, for parsers that open files themselves; nothing reaches a disk where there is a /dev/shm. The path is a real one:
// libhdf5 does not open what /proc/self/fd names.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) : path_(std::filesystem::is_directory("/dev/shm") ? "/dev/shm/edgelab-fuzz-XXXXXX" : "/tmp/edgelab-fuzz-XXXXXX") {
    const FileDescriptor file(mkstemp(path_.data()));
    if (!file.open() || write_all(file.number(), std::as_bytes(bytes)) != 0) __builtin_trap();
  }
  ~MemoryFile() { unlink(path_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

// What must hold of every input; a fuzzer takes the trap for a crash.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace edgelab::fuzz
