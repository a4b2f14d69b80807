#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgelab::data {

struct SplitDescription {
  std::string split;  // "train", "test", or "all" where an image folder has no splits
  std::string place;
  std::int64_t samples = 0;
  std::vector<std::int64_t> per_class;  // samples
  int least_width = 0, most_width = 0;  // pixels
  int least_height = 0, most_height = 0;
  std::string hash;  // Dataset::content_hash()
};

struct DatasetDescription {
  std::string dataset;
  std::vector<std::string> class_names;
  std::vector<SplitDescription> splits;  // those that are there
};

// Describes a data set by name (found in the usual places) or by folder (CIFAR's files, else an image folder). Reads and
// decodes every image. Throws Error as open_dataset does, and if neither split is there.
DatasetDescription describe(const std::string& name_or_folder);

}  // namespace edgelab::data
