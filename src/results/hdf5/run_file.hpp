#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "results/job_record.hpp"

// The results file itself. The layout is src/results/schema; results/schema.md describes it for readers.
// None of these may run on two threads at once (HDF5's serial library).
namespace edgelab::results {

// The whole file as bytes. Made in memory, because HDF5 recovers badly from a disk that fills up under it, while bytes are
// written by one checked loop (replace_file). Costs the size of the file once more for as long as it takes.
std::vector<std::byte> hdf5_image_of(const RunRecord& run);

// Writes the file as replace_file() does. Throws Error (environment); the earlier file then still stands.
void write_run(const std::filesystem::path& path, const RunRecord& run);

// Throws Error (environment) if the file can't be opened, Error (data) if it is no sound "edgelab/1" file. Every extent is
// held against the file's size before anything is allocated, and HDF5's library works in a child process with limits, so
// that its crash on a damaged file is an Error (data) too (reading.hpp). It forks: don't call it where other threads run.
RunRecord read_run(const std::filesystem::path& path);

}  // namespace edgelab::results
