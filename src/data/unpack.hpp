#pragma once

#include <cstdint>
#include <filesystem>

namespace edgelab::data {

// Unpacks a tar archive, gzipped or not, below `folder`, which must exist. Only plain files and folders with relative
// names inside it are accepted: an absolute name, "..", a link, a device, a name twice, or more than `max_bytes` or
// 10,000 entries in all is an Error (data), whatever came before staying where it is. Files are on disk (fsync) when it
// returns.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& folder, std::uint64_t max_bytes);

}  // namespace edgelab::data
