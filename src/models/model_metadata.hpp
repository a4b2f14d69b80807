#pragma once

#include <map>
#include <string>

#include "models/model.hpp"

namespace edgelab::models {

// The options of a model as entries of a safetensors file's metadata, "edgelab.model.arch" and the like, so that a file of
// weights says what it is. Only options that are set.
std::map<std::string, std::string> metadata_of(const ModelOptions& options);

// The other way; what the metadata doesn't say stays empty. Throws Error (data) for an entry that is no number where one is
// due, or out of range.
ModelOptions options_of(const std::map<std::string, std::string>& metadata);

}  // namespace edgelab::models
