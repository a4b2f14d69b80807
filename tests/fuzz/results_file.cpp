// A results file, read in this process, so that a crash shows; what comes out must go through the child's pipe unchanged.
#include <string>

#include "fuzz/memory_file.hpp"
#include "results/hdf5/reading.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgelab;
  using namespace edgelab::results::hdf5;
  const fuzz::MemoryFile file({data, size});
  const Reading strict = read_here(file.path(), OnProblem::stop);
  const Reading patient = read_here(file.path(), OnProblem::go_on);
  fuzz::require(patient.problems.empty() || !strict.failure.empty() || patient.run == strict.run);
  const std::string text = to_text(patient);
  fuzz::require(to_text(reading_from_text(text)) == text);
  return 0;
}
