#pragma once

#include <map>
#include <string>

#include "batch/job_file/errors.hpp"
#include "batch/job_file/value.hpp"

namespace edgelab::batch {

// Finds the file that `weights: PATH` means: beside the file that says it, else under $EDGELAB_MODELS by the path as
// written, else there by the name alone, so that a lab's `../models/x.safetensors` is found wherever the models lie.
class WeightsFinder {
 public:
  explicit WeightsFinder(ErrorList& errors);
  // The absolute path. Reports an error (environment) naming every place tried, and gives the first, if none exists.
  std::string find(const Value& path);

 private:
  ErrorList& errors_;
  std::string models_;                        // $EDGELAB_MODELS, absolute, or empty
  std::map<std::string, std::string> found_;  // by first place; a sweep asks for the same file many times
};

}  // namespace edgelab::batch
