// Results files as other programs read them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "results/hdf5/run_file.hpp"
#include "results/pythons.hpp"
#include "results/sample_run.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

bool works(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

TEST(H5py, ReadsAResultsFileWithNothingOfOursInstalled) {
  const std::string python = std::string(test::kDebianPython) + " ";
  if (std::system((python + "-c 'import h5py' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "python3-h5py is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  EXPECT_EQ(std::system(
                (python + EDGELAB_SOURCE_DIR "/tests/results/h5py_reads_it.py " + (folder / "k.h5").string()).c_str()),
            0);
}

TEST(H5web, IsServedEveryEntityAndTheDefaultPlot) {
  const std::string python = test::python_with_more() + " ";
  if (!works(python + "-c 'import h5grove'")) GTEST_SKIP() << "no Python with h5grove: " << test::kWhereMoreComesFrom;
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  EXPECT_EQ(std::system((python + EDGELAB_SOURCE_DIR "/tests/results/h5web_reads_it.py " +
                         (folder / "k.h5").string())
                            .c_str()),
            0);
}

TEST(Hdf5Tools, DumpEveryObjectOfIt) {
  if (!works("h5dump --version")) GTEST_SKIP() << "hdf5-tools is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  const test::ProgramResult dump = test::run_program("h5dump " + (folder / "k.h5").string());
  EXPECT_EQ(dump.exit_code, 0) << dump.errors;
  EXPECT_EQ(dump.errors, "");
  for (const char* part :
       {"GROUP \"after%2Fpruned\"", "DATASET \"layers\"", "features.3.conv", "DATASET \"picture\""}) {
    EXPECT_NE(dump.output.find(part), std::string::npos) << part;
  }
}

TEST(RRecipe, PrintsARowAJobAndTheSlowestLayers) {
  if (!works("Rscript -e 'library(hdf5r)'")) GTEST_SKIP() << "r-cran-hdf5r is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  const test::ProgramResult recipe =
      test::run_program("Rscript " EDGELAB_SOURCE_DIR "/results/recipes.R " + (folder / "k.h5").string());
  EXPECT_EQ(recipe.exit_code, 0) << recipe.errors;
  for (const char* part : {"serial", "0.9453125", "after/pruned", "features.19.conv", "ms\n"}) {
    EXPECT_NE(recipe.output.find(part), std::string::npos) << part << "\n" << recipe.output;
  }
}

TEST(MatlabRecipe, RunsInOctaveBesideFunctionsThatItLacks) {
  if (!works("octave-cli --version") || !works(std::string(test::kDebianPython) + " -c 'import h5py'"))
    GTEST_SKIP() << "octave or python3-h5py is not installed";
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  const std::string source = EDGELAB_SOURCE_DIR;
  const test::ProgramResult recipe =
      test::run_program("octave-cli --quiet --no-init-file --path " + source + "/tests/results/octave --eval \"run_recipe('" +
                        source + "', '" + (folder / "k.h5").string() + "')\"");
  EXPECT_EQ(recipe.exit_code, 0) << recipe.errors;
  for (const char* part : {"figure: serial", "histogram of 128 values", "after/pruned  skipped  NaN", "features.19.conv"}) {
    EXPECT_NE(recipe.output.find(part), std::string::npos) << part << "\n" << recipe.output << recipe.errors;
  }
}

}  // namespace
}  // namespace edgelab::results
