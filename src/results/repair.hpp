#pragma once

#include <filesystem>
#include <string>

namespace edgelab::results {

struct Repair {
  std::filesystem::path results_file;
  std::size_t jobs = 0;
  bool complete = false;
  std::string note;  // on a torn last line, or empty
};

// Makes the results file anew from its journal; `path` is either of the two. A results file that is there is moved to *.old.
// Throws Error: environment if there is no journal, a run still writes it, or the file can't be written; data if the
// journal is damaged or holds nothing.
Repair repair_results(const std::filesystem::path& path);

}  // namespace edgelab::results
