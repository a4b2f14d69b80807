#pragma once

#include <filesystem>
#include <string>

namespace edgelab::app {

// The results file of a batch: `out`, or results/NAME.h5 if that is empty. Its folder is made if need be.
std::filesystem::path results_place(const std::string& out, const std::string& batch_name);

}  // namespace edgelab::app
