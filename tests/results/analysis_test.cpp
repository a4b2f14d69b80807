// results/edgelab_results.py and the notebook beside it, on a results file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "results/hdf5/run_file.hpp"
#include "results/pythons.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

int python(const std::string& arguments) { return std::system((test::kDebianPython + (" " + arguments)).c_str()); }

TEST(Analysis, TheModuleReadsEveryTableAndDrawsEveryPlot) {
  if (python("-c 'import h5py, pandas, matplotlib' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-h5py, python3-pandas or python3-matplotlib is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  EXPECT_EQ(python(EDGELAB_SOURCE_DIR "/tests/results/analysis_reads_it.py " + (folder / "k.h5").string() + " " +
                   folder.path().string()),
            0);
}

TEST(Analysis, TheModuleExportsParquetThatPandasReads) {
  const std::string python = test::python_with_more() + " ";
  if (std::system((python + "-c 'import h5py, pandas, pyarrow' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "no Python with h5py, pandas and pyarrow: " << test::kWhereMoreComesFrom;
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  EXPECT_EQ(std::system((python + EDGELAB_SOURCE_DIR "/tests/results/parquet_reads_it.py " + (folder / "k.h5").string() +
                         " " + folder.path().string())
                            .c_str()),
            0);
}

TEST(Analysis, TheNotebookRunsToItsEnd) {
  if (python("-c 'import h5py, pandas, matplotlib, nbconvert, ipykernel' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-pandas, python3-matplotlib, python3-nbconvert or python3-ipykernel is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  const std::string command = "env EDGELAB_RESULTS=" + (folder / "k.h5").string() +
                              " PYDEVD_DISABLE_FILE_VALIDATION=1 /usr/bin/python3 -m nbconvert --log-level ERROR --to "
                              "notebook --execute --output-dir " +
                              folder.path().string() + " " EDGELAB_SOURCE_DIR "/results/analysis.ipynb";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace edgelab::results
