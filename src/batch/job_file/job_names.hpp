#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "batch/job_file/document.hpp"

namespace edgelab::batch {

// Ids are a file's own. Where several files of one batch have a job of the same id, each of these jobs is called LABEL/ID in
// the batch, after its file; all others are called as their file calls them.
class JobNames {
 public:
  explicit JobNames(const std::vector<Document>& documents);

  std::string in_batch(const std::string& id, const Document& document) const;

 private:
  std::unordered_set<std::string> shared_;
};

}  // namespace edgelab::batch
