#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "results/hdf5/limited_child.hpp"
#include "results/hdf5/reading.hpp"
#include "results/hdf5/run_file.hpp"

namespace edgelab::results {
namespace hdf5 {
namespace {

// Opened by us before HDF5 does, for a plain reason why not: HDF5's own words for a missing file fill a screen.
std::uint64_t size_of_readable_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw Error(ErrorKind::environment, std::string("the results file can't be opened: ") + std::strerror(errno))
        .at({path.string()});
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::environment, "this is not a file").at({path.string()}).expected("an edgelab results file");
  return static_cast<std::uint64_t>(status.st_size);
}

// Generous: a table's row takes 1 KB on its way and may be stored in 30 bytes; 10 MB are read in half a second on a PC.
Limits limits_for(std::uint64_t file_bytes) {
  constexpr std::uint64_t kMiB = 1 << 20;
  return {.memory_bytes = 1024 * kMiB + 100 * file_bytes,
          .cpu_seconds = 30 + file_bytes / kMiB,
          .answer_bytes = 64 * kMiB + 40 * file_bytes};
}

}  // namespace

Reading read_in_child(const std::filesystem::path& path, OnProblem on_problem) {
  const Limits limits = limits_for(size_of_readable_file(path));
  const Answer answer = ask_child([&] { return to_text(read_here(path, on_problem)); }, limits);
  Reading reading;
  if (answer.failure.empty()) {
    try {
      reading = reading_from_text(answer.text);
    } catch (const Error& error) {
      reading.failure = error.what();
    }
  } else {
    reading.failure = answer.failure;
  }
  return reading;
}

}  // namespace hdf5

RunRecord read_run(const std::filesystem::path& path) {
  hdf5::Reading reading = hdf5::read_in_child(path, hdf5::OnProblem::stop);
  if (!reading.failure.empty())
    throw Error(ErrorKind::data, "this is no sound results file: " + reading.failure).at({path.string()});
  return std::move(reading.run);
}

}  // namespace edgelab::results
