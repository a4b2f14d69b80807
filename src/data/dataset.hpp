#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/image.hpp"
#include "data/options.hpp"

namespace edgelab::data {

// Samples of one split of a data set, in the order in which they are worked on and recorded. Immutable and cheap to copy
// (copies share); every function may be called from several threads at once.
class Dataset {
 public:
  std::int64_t size() const;  // samples, at least 1
  int classes() const;
  const std::vector<std::string>& class_names() const;
  const std::string& place() const;  // folder or generator it comes from, for people

  std::int32_t label(std::int64_t position) const;
  // Where the sample stands in the file order of its split, whatever was shuffled or left out.
  std::int64_t file_index(std::int64_t position) const;
  // Decodes or draws where need be; image folders throw Error for a file that can't be read or decoded.
  Image image(std::int64_t position) const;

  // sha256, hexadecimal: of the files' contents (of an image folder: of the files selected), or of generator, seed and
  // split. It says nothing of order and selection. Reads all of these files: a second or so for CIFAR on a Pi.
  std::string content_hash() const;

 private:
  friend Dataset open_dataset(const DatasetOptions& options);
  struct Contents;
  explicit Dataset(std::shared_ptr<const Contents> contents);
  std::shared_ptr<const Contents> contents_;
};

// Classes of the data sets that always have the same number, without opening anything.
std::optional<int> usual_classes(std::string_view dataset);

// Throws Error: usage for an unknown name or a number out of range, and for a class with fewer than `per_class` samples;
// environment for files that are missing; data for files that are malformed.
Dataset open_dataset(const DatasetOptions& options);

}  // namespace edgelab::data
