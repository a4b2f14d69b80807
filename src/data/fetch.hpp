#pragma once

#include <filesystem>
#include <string>

#include "data/archives.hpp"
#include "data/download.hpp"

namespace edgelab::data {

struct FetchResult {
  std::filesystem::path folder;  // that now holds the files
  bool already_there = false;
  bool resumed = false;  // part of it had been downloaded before
};

// Gets the data set of `entry` (cifar10 or cifar100) into <root>/<usual folder>: downloads to <root>/<archive>.part,
// verifies the checksums, unpacks beside, renames into place, removes the archive. A kill at any moment leaves either the
// whole data set or something that the next call goes on from. Quick if the files are there already.
// Blocks. Throws Error: usage for another data set; environment for network, disk and permissions, for a folder in the
// way, and for another fetch into `root` under way; data for a wrong checksum or an archive that isn't what it should be.
FetchResult fetch_dataset(const ArchiveEntry& entry, const std::filesystem::path& root, const Progress& progress);

}  // namespace edgelab::data
