#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "results/hdf5/run_file.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

TEST(H5py, ReadsAResultsFileWithNothingOfOursInstalled) {
  // Debian's own interpreter: another one that comes first on PATH would not see python3-h5py.
  const std::string python = "/usr/bin/python3 ";
  if (std::system((python + "-c 'import h5py' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "python3-h5py is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  EXPECT_EQ(std::system(
                (python + EDGELAB_SOURCE_DIR "/tests/results/h5py_reads_it.py " + (folder / "k.h5").string()).c_str()),
            0);
}

}  // namespace
}  // namespace edgelab::results
