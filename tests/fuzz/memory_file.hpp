#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/file.hpp"

namespace edgelab::fuzz {

// Bytes under a path, for parsers that open files themselves; nothing reaches a disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) : file_(memfd_create("fuzzed", MFD_CLOEXEC)) {
    if (write_all(file_.number(), std::as_bytes(bytes)) != 0) __builtin_trap();
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_.number()); }

 private:
  FileDescriptor file_;
};

// What must hold of every input; a fuzzer takes the trap for a crash.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace edgelab::fuzz
