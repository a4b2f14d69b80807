// The HTML report as text; browser_test.cpp opens it.
#include "results/report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/report/bitmap.hpp"
#include "results/report/plot.hpp"
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
                              "Flat: what the threads reach in a matrix product of the type, operands in cache, GFLOP/s: fp32 40.0, int8 40.0.",
                              "Slope: 12.5 GB/s, what the threads read from main memory",
                              ">Searches</h2>",
                              "Taken: trial 1, calibration entropy, scheme symmetric.",
                              "✓ taken",
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

// The part of the page between the heads of two sections.
std::string section_of(const std::string& html, const std::string& title) {
  const std::size_t begin = html.find(">" + title + "</h2>");
  return begin == std::string::npos ? "" : html.substr(begin, html.find("</section>", begin) - begin);
}

TEST(Report, ARoofThatWasNotMeasuredIsTheBestOfItsTypeInTheJobAndSaysSo) {
  RunRecord run = test::sample_run();
  run.jobs.resize(1);
  run.jobs[0].layers = {{"a", "conv2d", "fp32", "fp32", "x", "", 1'000, 1'000, 0, 2'000, 0.0},
                        {"b", "conv2d", "fp32", "fp32", "x", "", 1'000, 4'000, 0, 1'000, 0.0},
                        {"c", "conv2d", "int8", "int8", "x", "", 1'000, 1'000, 0, 8'000, 16e9}};
  for (RankRow& rank : run.jobs[0].ranks) rank.memory_bytes_per_second = 0;
  const std::string html = section_of(report_of(run), "Roofline");
  EXPECT_THAT(html, HasSubstr("operands in cache, GFLOP/s: int8 16.0."));
  EXPECT_THAT(html, HasSubstr("the best that a layer of the type reached in this job, GFLOP/s: fp32 2.00."));
  EXPECT_THAT(html, HasSubstr("Slope: 4.00 GB/s, the best that a layer of this job reached, from caches too."));
  // 8 GFLOP/s under int8's 16, which at 8 FLOP a byte is no matter of the slope; fp32's best is on its own roof.
  EXPECT_THAT(html, HasSubstr("c (conv2d): 8.00 GFLOP/s, 50 % of the roof"));
  EXPECT_THAT(html, HasSubstr("a (conv2d): 2.00 GFLOP/s, 100 % of the roof"));
  run.jobs[0].ranks[0].memory_bytes_per_second = 5e8;
  EXPECT_THAT(section_of(report_of(run), "Roofline"), HasSubstr("a (conv2d): 2.00 GFLOP/s, 200 % of the roof"));  // it came from caches
}

TEST(Report, OneLayerInIntegersIsNoPartLeftOut) {
  RunRecord run = test::sample_run();
  run.jobs.resize(1);
  run.jobs[0].task = "quantize";
  run.jobs[0].sensitivity = {{"none", 0.0, 0.945, 0.21}, {"features.0", 0.0, 0.9375, 0.25}};
  std::string html = section_of(report_of(run), "Sensitivity");
  EXPECT_THAT(html, HasSubstr("with one layer alone in integers"));
  EXPECT_THAT(html, HasSubstr("features.0: +0.04, top-1 93.75 %"));
  EXPECT_THAT(html, Not(HasSubstr("left out")));
  run.jobs[0].task = "prune";
  run.jobs[0].sensitivity[1].sparsity = 0.5;
  html = section_of(report_of(run), "Sensitivity");
  EXPECT_THAT(html, HasSubstr("with 50 % of one layer left out"));
  EXPECT_THAT(html, Not(HasSubstr("integers")));
}

TEST(Report, SaysOfLatenciesFromArrivalThatTheyAre) {
  RunRecord run = test::sample_run();
  run.jobs.resize(1);
  const char* of_calls = "tensor in memory to logits";
  for (const char* kind : {"single_stream", "multi_stream", "server"}) {
    run.jobs[0].scenario.kind = kind;
    const std::string html = section_of(report_of(run), "Latency");
    EXPECT_THAT(html, HasSubstr("arrival to answer, waiting for the model"));
    EXPECT_THAT(html, HasSubstr("128 queries of 3"));
    EXPECT_THAT(html, Not(HasSubstr(of_calls)));
    EXPECT_THAT(section_of(report_of(run), "Accuracy against latency"), HasSubstr(std::string(kind) + ", from arrival"));
  }
  for (const char* kind : {"", "offline"}) {
    run.jobs[0].scenario.kind = kind;
    const std::string html = section_of(report_of(run), "Latency");
    EXPECT_THAT(html, HasSubstr(of_calls));
    EXPECT_THAT(html, HasSubstr("128 calls of 1"));
    EXPECT_THAT(html, Not(HasSubstr("arrival")));
  }
}

TEST(Report, DrawsPredictedAgainstMeasuredWithTheError) {
  const std::string html = section_of(report_of(test::sample_run()), "Predicted and measured");
  EXPECT_THAT(html, HasSubstr("<figcaption>Time of a call, predicted and measured"));
  EXPECT_THAT(html, HasSubstr("<figcaption>Throughput, predicted and measured"));
  EXPECT_THAT(html, HasSubstr(">-2.4 %</td>"));  // 4.0 of 4.1 ms
  EXPECT_THAT(html, HasSubstr(">+4.2 %</td>"));  // 500.5 of 480.25
}

TEST(Report, MarksWhenAHostWasSlowedDown) {
  RunRecord run = test::sample_run();
  run.jobs.resize(1);
  run.jobs[0].telemetry.clear();
  // Slowed down between 1 and 3 s, and from 5 s on; the bit above 16 is of what was before.
  for (const auto& [second, bits] : {std::pair{0, 0}, {1, 0x40000}, {2, 4}, {3, 4}, {4, 0}, {5, 0}, {6, 8}})
    run.jobs[0].telemetry.push_back({second * 1'000'000'000LL, 0, 1.5e9, 61.5, 3.25, bits, 88'000'000});
  const std::string html = section_of(report_of(run), "Telemetry");
  EXPECT_EQ(count_of(html, "class=\"band\""), 6);  // of temperature, frequency and power
  EXPECT_EQ(count_of(html, "rank 0: throttled, 1.00 s to 3.00 s"), 3);
  EXPECT_THAT(html, HasSubstr("5.00 s to 6.00 s"));
  for (TelemetryRow& row : run.jobs[0].telemetry) row.throttle_bits = 0;
  EXPECT_THAT(section_of(report_of(run), "Telemetry"), Not(HasSubstr("class=\"band\"")));
}

TEST(Report, ShowsEnergyAboveIdleBesideEnergy) {
  RunRecord run = test::sample_run();
  run.jobs[0].summary.energy_joules = 60.5;
  EXPECT_THAT(section_of(report_of(run), "Jobs"), HasSubstr(">60.5 J</td><td class=\"n\" data-v=\"15.5\">15.5 J</td>"));
}

TEST(Report, SeveralFilesAreHeldAgainstTheFirst) {
  RunRecord slower = test::sample_run();
  for (auto& time : slower.jobs[0].latency_ns) time *= 2;
  *slower.jobs[0].summary.latency_p50_ns *= 2;
  slower.jobs[0].scenario.value /= 2;
  slower.jobs.pop_back();
  const std::string html = report::html_report({{"a.h5", {test::sample_run()}}, {"b.h5", {slower}}}, "a.h5, b.h5");
  for (const char* present : {">Comparison</h2>", "b.h5 against a.h5", "+100.0 %", "slower (INVALID, throttled)", "missing", "a.h5, server, from arrival",
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
    for (TrialRow& row : job.trials) row.settings = evil;
    if (!job.forecast.layout.empty()) job.forecast.layout = evil;
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
    for (TrialRow& row : job.trials) row.top1 = row.loss = kNone;
    for (SensitivityRow& row : job.sensitivity) row.top1 = row.loss = kNone;
    job.forecast.predicted_latency_ns = job.forecast.measured_latency_ns = kNone;
    job.forecast.measured_samples_per_second = 0;
    job.latency_ns.assign(job.latency_ns.size(), 5);
    job.labels.assign(job.labels.size(), -1);
  }
  const std::string html = report_of(run);
  for (const char* absent : {"=\"nan", ",nan", "=\"-nan", "=\"inf", ",inf", "=\"-inf"})
    EXPECT_THAT(html.substr(html.find("<body>")), Not(HasSubstr(absent))) << absent;
}

// Texts below the ticks of an axis from 0 to 100.
int texts_of_x_axis(std::string (*text)(double)) {
  report::Plot plot{"", {"title", text, false, true, {}}, {"", report::whole_tick, false, true, {}}, {}, {}};
  plot.series.push_back({"s", {{.x = 3, .y = 1, .title = ""}, {.x = 97, .y = 2, .title = ""}}, {}, {}});
  const std::string html = report::plot_html(plot, "", "");
  int count = -1;  // the axis' title
  for (std::size_t at = 0; (at = html.find("text-anchor=\"middle\"", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(Plot, LeavesOutTextsOfTicksThatWouldLieOnEachOther) {
  EXPECT_EQ(texts_of_x_axis(report::whole_tick), 6);
  EXPECT_EQ(texts_of_x_axis([](double) -> std::string { return "1 min 20 s"; }), 3);
  EXPECT_EQ(texts_of_x_axis([](double) -> std::string { return "a very long text, much too long for its place"; }), 1);
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
  EXPECT_THAT(report::Scale::logarithmic({4.1e6, 4.6e6}).ticks(), testing::ElementsAre(2e6, 5e6));  // no decade of which most is empty
  EXPECT_THAT(report::Scale::logarithmic({3, 40}).ticks(), testing::ElementsAre(2, 5, 10, 20, 50));
  EXPECT_DOUBLE_EQ(report::Scale::logarithmic({5, 5}).at(5), 0);
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
