#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "results/job_record.hpp"

namespace edgelab::results::hdf5 {

enum class OnProblem { stop, go_on };

struct Reading {
  std::string failure;  // why it could not be read, or not to its end; empty: it was
  RunRecord run;
  std::vector<std::string> problems;  // with OnProblem::go_on: what was wrong on the way, content hashes compared too
  bool operator==(const Reading&) const = default;
};

// In a child process with limits, since HDF5's library itself crashes, hangs or takes all memory on some damaged files: that
// becomes a failure like another. It forks, so don't call it where other threads run. Throws Error (environment) if
// there is no such file, or no child to be had.
Reading read_in_child(const std::filesystem::path& path, OnProblem on_problem);

// In this process.
Reading read_here(const std::filesystem::path& path, OnProblem on_problem);

// A Reading on its way out of the child. Throws Error (data) for anything but the whole text of one. It is text rather than
// CBOR because the JSON library reads nested CBOR recursively, and a child that a hostile file has taken over could send
// enough of it to exhaust our stack.
std::string to_text(const Reading& reading);
Reading reading_from_text(std::string_view text);

}  // namespace edgelab::results::hdf5
