#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace edgelab::models {

// The bytes of a file, mapped privately: what is written to them stays in this process.
struct MappedFile {
  std::shared_ptr<const void> owner;  // unmaps with the last copy
  std::span<std::byte> bytes;
};

// Throws Error (environment) if `path` can't be opened or mapped, or is not a plain file.
MappedFile map_file(const std::filesystem::path& path);

}  // namespace edgelab::models
