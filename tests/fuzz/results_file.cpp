// A results file, read in this process, so that a crash shows; what comes out must go through the child's pipe unchanged.
#include <string>
#include <vector>

#include "fuzz/memory_file.hpp"
#include "results/hdf5/reading.hpp"
#include "results/hdf5/run_file.hpp"

namespace {

// Whether this program reads a sound file at all: for a while libhdf5 could not open any, and nothing behind that was ever tried.
bool reads_a_sound_file() {
  const std::vector<std::byte> image = edgelab::results::hdf5_image_of({});
  const edgelab::fuzz::MemoryFile file({reinterpret_cast<const std::uint8_t*>(image.data()), image.size()});
  return edgelab::results::hdf5::read_here(file.path(), edgelab::results::hdf5::OnProblem::stop).failure.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  using namespace edgelab::results::hdf5;
  static const bool works = reads_a_sound_file();
  fuzz::require(works);
  const fuzz::MemoryFile file({data, size});
  const Reading strict = read_here(file.path(), OnProblem::stop);
  const Reading patient = read_here(file.path(), OnProblem::go_on);
  fuzz::require(patient.problems.empty() || !strict.failure.empty() || patient.run == strict.run);
  const std::string text = to_text(patient);
  fuzz::require(to_text(reading_from_text(text)) == text);
  return 0;
}
