#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace edgelab::data {

// An archive to download: where it is, and the checksums its bytes must have (lower-case hexadecimal; at least one).
struct ArchiveEntry {
  std::string dataset;
  std::string url;
  std::string md5;     // empty: not stated
  std::string sha256;  // empty: not stated
};

// The text of configs/datasets.yaml when edgelab was built.
extern const char* const kBuiltInArchives;

// Parses a file like configs/datasets.yaml. Throws Error (usage) with line and column for what isn't as it should be.
std::vector<ArchiveEntry> parse_archives(const std::string& yaml, const std::string& file_name);

// The entry of `dataset` in `config`, or in the built-in text if `config` is empty. Throws Error: usage if there is none
// or the file is malformed, environment if it can't be read.
ArchiveEntry archive_of(const std::string& dataset, const std::filesystem::path& config);

}  // namespace edgelab::data
