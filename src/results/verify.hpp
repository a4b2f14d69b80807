#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace edgelab::results {

// What is wrong with the file, one line a thing; empty for a sound one. Reads it in a child process, because HDF5's library
// itself can crash on a damaged file. Don't call where other threads run. Throws Error (environment) if there is no file.
std::vector<std::string> problems_of(const std::filesystem::path& path);

}  // namespace edgelab::results
