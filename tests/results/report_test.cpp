// The HTML report as text; browser_test.cpp opens it.
#include "results/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/report/bitmap.hpp"
#include "results/report/scale.hpp"
#include "results/sample_run.hpp"

namespace edgelab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string report_of(const RunRecord& run, const std::string& title = "k.h5") {
  return report::html_report({{title, {run}}}, title);
}

int count_of(const std::string& text, const std::string& word) {
  int count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST(Report, IsOnePageThatNeedsNothingElse) {
  const std::string html = report_of(test::sample_run());
  for (const char* absent : {"http://", "https://", "<link", "url(", "@import", "<script src", "src=\"/"})
    EXPECT_THAT(html, Not(HasSubstr(absent)));
  EXPECT_EQ(count_of(html, "<script"), 1);
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("script-src 'sha256-"));
}

TEST(Report, HasAllThatTheRunHolds) {
  const std::string html = report_of(test::sample_run());
  for (const char* present : {"<!doctype html>",
                              "prefers-color-scheme",
                              "viewport",
                              "<svg",
                              ">Jobs</h2>",
                              ">Expectations</h2>",
                              ">Accuracy against latency</h2>",
                              "On the Pareto front: 1 ",
                              ">Scenarios</h2>",
                              "312.5 queries/s within 15.0 ms",
                              "too few queries: 128 of 662",
                              "99th percentile against load",
                              "Energy of the timed parts",
                              "pmic",
                              "15.5 J",
                              "Slowed down: pi-1: throttled in 12 of 40 readings.",
                              ">Latency</h2>",
                              "p99",
                              ">What was taken for what</h2>",
                              "class 7",
                              "Surest mistakes",
                              "data:image/bmp;base64,",
                              ">Layers</h2>",
                              "Asked one type, got another",
                              "onednn: int8 with groups is not supported",
                              ">Roofline</h2>",
                              "GFLOP/s is what the threads reach in a product from cache",
                              ">Training</h2>",
                              ">Sensitivity</h2>",
                              ">Timeline</h2>",
                              "rank 1, pi-0",
                              ">Ranks</h2>",
                              ">Split models, rank by rank</h2>",
                              "serial: who computed, sent and waited",
                              "rank 1, micro-batch 1: receive 100 µs",
                              ">Predicted and measured</h2>",
                              "pipeline of 2",
                              "pi-0 (emulated: 0.4 cores, links 1gbit)",
                              ">Telemetry</h2>",
                              "61.5 °C",
                              ">throttled</td>",
                              ">Hosts</h2>",
                              ">Provenance</h2>",
                              "✓ met",
                              "Cortex-A76"}) {
    EXPECT_THAT(html, HasSubstr(present));
  }
}

TEST(Report, EveryFigureHasATableBehindIt) {
  const std::string html = report_of(test::sample_run());
  const int figures = count_of(html, "<figure>");
  EXPECT_GT(figures, 10);
  EXPECT_EQ(count_of(html, "<details><summary>Table: "), figures);
}

TEST(Report, SeveralFilesAreHeldAgainstTheFirst) {
  RunRecord slower = test::sample_run();
  for (auto& time : slower.jobs[0].latency_ns) time *= 2;
  *slower.jobs[0].summary.latency_p50_ns *= 2;
  slower.jobs[0].scenario.value /= 2;
  slower.jobs.pop_back();
  const std::string html = report::html_report({{"a.h5", {test::sample_run()}}, {"b.h5", {slower}}}, "a.h5, b.h5");
  for (const char* present : {">Comparison</h2>", "b.h5 against a.h5", "+100.0 %", "slower (INVALID, throttled)", "missing", "a.h5, batch 1",
                              ">Runs one by one</h2>", "<details class=\"file\"><summary>b.h5"})
    EXPECT_THAT(html, HasSubstr(present));
}

TEST(Report, EscapesEveryText) {
  RunRecord run = test::sample_run();
  const std::string evil = "<b onclick='x'>\"&";
  run.provenance.command_line = run.provenance.resolved = run.provenance.git_commit = run.provenance.build_flags =
      run.provenance.job_file = evil;
  run.provenance.edgelab_version = evil;
  run.provenance.library_versions = {{evil, evil}};
  for (HostRecord& host : run.hosts)
    host.name = host.cpu_model = host.governor = host.network_interface = host.operating_system = host.kernel = evil;
  for (JobRecord& job : run.jobs) {
    job.id = job.task = job.reason = evil;
    for (LayerRow& row : job.layers)
      row.name = row.op = row.requested_dtype = row.effective_dtype = row.implementation = row.refused = evil;
    for (RankRow& row : job.ranks) row.host = row.role = evil;
    for (SensitivityRow& row : job.sensitivity) row.layer = evil;
    for (ClassRow& row : job.class_names) row.name = evil;
    for (ExpectationRow& row : job.expectations) row.text = row.note = evil;
  }
  for (const std::string& html : {report_of(run, evil), report::html_report({{evil, {run}}, {evil, {run}}}, evil)}) {
    EXPECT_THAT(html, Not(HasSubstr("<b ")));
    EXPECT_THAT(html, Not(HasSubstr("'x'>")));
    EXPECT_THAT(html, HasSubstr("&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;"));
  }
}

TEST(Report, ARunWithoutAnythingStillMakesAPage) {
  EXPECT_THAT(report_of(RunRecord{}), HasSubstr("No job has ended"));
  EXPECT_THAT(report::html_report({{"a", {RunRecord{}}}, {"b", {RunRecord{}}}}, "none"), HasSubstr("</html>"));
  EXPECT_THROW(report::html_report({}, "none"), std::invalid_argument);
}

TEST(Report, NumbersThatAreNoneBreakNoPlot) {
  RunRecord run = test::sample_run();
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  for (JobRecord& job : run.jobs) {
    for (TrainingRow& row : job.training) row.loss = row.top1 = kNone;
    for (TelemetryRow& row : job.telemetry) row.frequency_hz = row.temperature_celsius = row.power_watt = kNone;
    for (LayerRow& row : job.layers) row.time_ns = 0;
    job.latency_ns.assign(job.latency_ns.size(), 5);
    job.labels.assign(job.labels.size(), -1);
  }
  const std::string html = report_of(run);
  for (const char* absent : {"=\"nan", ",nan", "=\"-nan", "=\"inf", ",inf", "=\"-inf"})
    EXPECT_THAT(html.substr(html.find("<body>")), Not(HasSubstr(absent))) << absent;
}

TEST(Scale, GoesToRoundTicksAndKeepsWithinItsEnds) {
  const report::Scale linear = report::Scale::linear({3, 97}, true);
  EXPECT_THAT(linear.ticks(), testing::ElementsAre(0, 20, 40, 60, 80, 100));
  EXPECT_DOUBLE_EQ(linear.at(50), 0.5);
  EXPECT_DOUBLE_EQ(linear.at(1000), 1);
  const report::Scale decades = report::Scale::logarithmic({2e3, 5e6});
  EXPECT_DOUBLE_EQ(decades.at(1e3), 0);
  EXPECT_DOUBLE_EQ(decades.at(1e5), 0.5);
  EXPECT_DOUBLE_EQ(decades.at(-1), 0);
  EXPECT_EQ(report::Scale::linear({}, false).ticks().front(), 0);
  EXPECT_LT(report::Scale::linear({7, 7}, false).at(7), 1);
}

TEST(Bitmap, HasItsRowsFromTheLowestUpAndBlueFirst) {
  EXPECT_EQ(report::bitmap_uri(std::vector<std::uint8_t>{1, 2, 3}, 2, 2), "");
  // 1 x 1: 54 bytes of head, blue green red, one byte of padding.
  const std::string uri = report::bitmap_uri(std::vector<std::uint8_t>{0xAA, 0xBB, 0xCC}, 1, 1);
  EXPECT_THAT(uri, testing::StartsWith("data:image/bmp;base64,Qk06"));  // "BM", 58 bytes
  EXPECT_THAT(uri, testing::EndsWith("zLuqAA=="));
}

}  // namespace
}  // namespace edgelab::results
