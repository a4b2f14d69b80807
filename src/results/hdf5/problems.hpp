#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/job_record.hpp"

namespace edgelab::results::hdf5 {

// read_run() for `verify`: goes on after a problem and adds it to the list, compares content hashes too. Still throws where
// nothing can be read at all.
RunRecord read_with_problems(const std::filesystem::path& path, std::vector<std::string>& problems);

}  // namespace edgelab::results::hdf5
