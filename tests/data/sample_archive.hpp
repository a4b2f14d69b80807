#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "data/sample_files.hpp"

namespace edgelab::data::test {

struct SampleEntry {
  std::string name;
  std::string content{};
  std::string symlink{};   // target; makes it a symbolic link
  std::string hardlink{};  // target; makes it a hard link
  unsigned type = AE_IFREG;
};

// Writes a gzipped tar archive, with whatever names it is told.
inline void write_archive(const std::filesystem::path& path, const std::vector<SampleEntry>& entries) {
  struct archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_format_pax_restricted(writer);
  archive_write_open_filename(writer, path.c_str());
  for (const SampleEntry& sample : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, sample.name.c_str());
    archive_entry_set_filetype(entry, sample.symlink.empty() ? sample.type : static_cast<unsigned>(AE_IFLNK));
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(sample.content.size()));
    if (!sample.symlink.empty()) archive_entry_set_symlink(entry, sample.symlink.c_str());
    if (!sample.hardlink.empty()) archive_entry_set_hardlink(entry, sample.hardlink.c_str());
    archive_write_header(writer, entry);
    archive_write_data(writer, sample.content.data(), sample.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

inline std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// CIFAR-10's archive in small: two records in every file.
inline std::vector<SampleEntry> cifar_entries() {
  std::vector<SampleEntry> entries = {{.name = "cifar-10-batches-bin/", .type = AE_IFDIR}};
  for (const Split split : {Split::train, Split::test}) {
    for (const std::string_view name : cifar10_layout().files(split)) {
      const auto records = cifar_records(cifar10_layout(), 0, 2);
      entries.push_back(
          {.name = "cifar-10-batches-bin/" + std::string(name), .content = {records.begin(), records.end()}});
    }
  }
  return entries;
}

}  // namespace edgelab::data::test
