#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace edgelab {

// Lower-case hexadecimal SHA-256 (FIPS 180-4).
std::string sha256_of(std::span<const std::byte> bytes);
std::string sha256_of_text(std::string_view text);
// Reads the file in pieces. Throws Error (environment) if it can't be read.
std::string sha256_of_file(const std::filesystem::path& path);
// For archives whose publisher states only an MD5 sum.
std::string md5_of_file(const std::filesystem::path& path);

}  // namespace edgelab
