#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab {

// How the kernel tells things: files of one line, below folders with one entry a device.

// "" where there is no such file or it may not be read.
std::string first_line(const std::filesystem::path& path);

// The whole number that the text begins with; "0x" may stand before one in base 16.
std::optional<std::int64_t> number_in(std::string_view text, int base = 10);

// Entries of `folder` whose name begins so, sorted, so that the answer doesn't depend on the file system's order.
std::vector<std::filesystem::path> entries(const std::filesystem::path& folder, std::string_view prefix);

}  // namespace edgelab
