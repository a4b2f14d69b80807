#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "core/file.hpp"
#include "results/report/report.hpp"
#include "results/sample_run.hpp"
#include "results/sweep_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

bool there_is(const char* command) {
  return std::system((std::string("command -v ") + command + " >/dev/null").c_str()) == 0;
}

int opened(const std::filesystem::path& page) {
  return std::system(("python3 " EDGELAB_SOURCE_DIR "/tests/results/report_in_browser.py --everything " + page.string()).c_str());
}

TEST(Browser, TheReportSortsSwitchesAndFitsADeskAndAPhone) {
  if (!there_is("chromium") && !there_is("chromium-browser")) GTEST_SKIP() << "chromium is not installed";
  const test::TemporaryDirectory folder;
  RunRecord one = test::sample_run();
  one.jobs[1].id = "a-sweep-of-many-keys[prune.sparsity=0.8,prune.granularity=unstructured,prune.method=magnitude]";
  one.jobs[2].id = "failed-" + one.jobs[1].id;
  replace_file(folder / "one.html", report::html_report({{"k.h5", {one}}}, "k.h5"));
  EXPECT_EQ(opened(folder / "one.html"), 0);
  RunRecord other = test::sample_run();
  *other.jobs[0].summary.latency_p50_ns *= 2;
  // All percentiles at the left end, beside the texts of the axis.
  for (std::size_t i = 0; i < other.jobs[0].latency_ns.size(); ++i) other.jobs[0].latency_ns[i] = i == 5 ? 9'000'000 : 4'000'000;
  replace_file(folder / "two.html",
               report::html_report({{"k.h5", {test::sample_run()}}, {"other.h5", {other}}}, "k.h5, other.h5"));
  EXPECT_EQ(opened(folder / "two.html"), 0);
}

TEST(Browser, TheReportOfALargeSweepDoesToo) {
  if (!there_is("chromium") && !there_is("chromium-browser")) GTEST_SKIP() << "chromium is not installed";
  const test::TemporaryDirectory folder;
  replace_file(folder / "sweep.html", report::html_report({{"sweep.h5", {test::sweep_run()}}}, "sweep.h5"));
  EXPECT_EQ(opened(folder / "sweep.html"), 0);
}

}  // namespace
}  // namespace edgelab::results
