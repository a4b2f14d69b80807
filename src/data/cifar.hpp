#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/options.hpp"
#include "data/source.hpp"

namespace edgelab::data {

// The binary version of CIFAR (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte
// (CIFAR-100: coarse, then fine, which is the one used) and 3 x 32 x 32 pixels, planar, one record after another.
struct CifarLayout {
  std::string_view dataset;  // "cifar10"
  std::string_view folder;   // the archive's folder
  std::string_view names_file;
  std::size_t label_bytes;  // the last of them is the label
  int classes;
  std::vector<std::string_view> train_files, test_files;

  static constexpr int kSide = 32;  // pixels
  static constexpr std::size_t kPixelBytes = 3u * kSide * kSide;
  std::size_t record_bytes() const { return label_bytes + kPixelBytes; }
  const std::vector<std::string_view>& files(Split split) const {
    return split == Split::train ? train_files : test_files;
  }
};

const CifarLayout& cifar10_layout();
const CifarLayout& cifar100_layout();

// Reads the files of one split, which must all be there; those of the other need not. Files may hold fewer records than
// the official ones, but only whole records. Throws Error: environment for a missing file, data for an empty or cut one,
// a label out of range, or a names file of another number of classes.
Source open_cifar(const CifarLayout& layout, const std::filesystem::path& folder, Split split);

// A file that has been read: `path` is its name in errors and, without its folder, in the content hash.
struct FileBytes {
  std::filesystem::path path;
  std::vector<std::uint8_t> bytes;
};

// What open_cifar() makes of the files of a split, in their order, and of the names file if there is one.
Source cifar_source(const CifarLayout& layout, std::vector<FileBytes> files, const std::optional<FileBytes>& names);

// Whether all files of the split are there, whatever they hold.
bool has_cifar_files(const CifarLayout& layout, const std::filesystem::path& folder, Split split);

}  // namespace edgelab::data
