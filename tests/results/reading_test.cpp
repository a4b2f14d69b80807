// What people see: show, compare, CSV, the HTML report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "results/compare.hpp"
#include "results/csv_export.hpp"
#include "results/report/report.hpp"
#include "results/sample_run.hpp"
#include "results/show.hpp"
#include "results/text/units.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Units, AreScaledForAReader) {
  EXPECT_EQ(duration_text(850), "850 ns");
  EXPECT_EQ(duration_text(12'345), "12.3 µs");
  EXPECT_EQ(duration_text(999'700), "1.00 ms");
  EXPECT_EQ(duration_text(4.01e6), "4.01 ms");
  EXPECT_EQ(duration_text(1.24e9), "1.24 s");
  EXPECT_EQ(duration_text(200e9), "3 min 20 s");
  EXPECT_EQ(duration_text(7260e9), "2 h 1 min");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(13.6e6), "13.6 MB");
  EXPECT_EQ(count_text(640), "640");
  EXPECT_EQ(count_text(3'504'872), "3.50 M");
  EXPECT_EQ(share_text(0.9453125), "94.53 %");
  EXPECT_EQ(time_text(0), "1970-01-01 00:00:00 UTC");
}

TEST(Show, FitsAnEightyColumnTerminal) {
  const Look narrow{80, false};
  std::istringstream lines(shown_text(test::sample_run(), "results/k.h5", false, narrow));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(width_of(line), 80u) << line;
}

TEST(Show, SaysWhatCameOutAndWhy) {
  const std::string text = shown_text(test::sample_run(), "results/k.h5", true, {100, false});
  EXPECT_THAT(text, HasSubstr("2 of 4 jobs done"));
  EXPECT_THAT(text, HasSubstr("94.53 %"));
  EXPECT_THAT(text, HasSubstr("pruned: weights.safetensors"));
  EXPECT_THAT(text, HasSubstr("✓ serial  outputs_match"));
  EXPECT_THAT(text, HasSubstr("✗ serial  speedup_over"));
  EXPECT_THAT(text, HasSubstr("not judged"));
  EXPECT_THAT(text, HasSubstr("features.3.conv"));
  EXPECT_THAT(text, HasSubstr("int8→fp32"));
  EXPECT_THAT(text, Not(HasSubstr("\033[")));
  EXPECT_THAT(shown_text(test::sample_run(), "k.h5", false, {80, true}), HasSubstr("\033[32m"));
}

TEST(Show, SaysWhenAccuracyIsChance) {
  JobRecord job = test::sample_job("a");
  job.summary.samples = 1000;
  job.summary.top1 = 0.11;
  EXPECT_THAT(accuracy_note(job), HasSubstr("near chance (10.00 % for 10 classes)"));
  job.summary.top1 = 0.2;
  EXPECT_EQ(accuracy_note(job), "");
}

TEST(Show, NoTextSteersTheTerminal) {
  RunRecord run = test::sample_run();
  run.jobs[0].id = "evil\033[2J\xC2\x9B";
  run.jobs[2].reason = "bell \a and\033]0;title\a";
  const std::string text = shown_text(run, "k.h5", true, {80, false});
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\a'), std::string::npos);
  EXPECT_EQ(text.find("\xC2\x9B"), std::string::npos);
}

TEST(Compare, TellsFasterSlowerAndWhatIsMissing) {
  const RunRecord a = test::sample_run();
  RunRecord b = a;
  for (auto& time : b.jobs[0].latency_ns) time = time * 12 / 10;
  *b.jobs[0].summary.latency_p50_ns = *b.jobs[0].summary.latency_p50_ns * 12 / 10;
  b.jobs.erase(b.jobs.begin() + 3);
  const auto jobs = compare_runs(a, b);
  ASSERT_EQ(jobs.size(), 4u);
  EXPECT_EQ(jobs[0].verdict, Verdict::slower);
  EXPECT_EQ(jobs[1].verdict, Verdict::cannot_tell);
  EXPECT_FALSE(jobs[3].in_b);
  EXPECT_TRUE(any_slower(jobs, 10));
  EXPECT_FALSE(any_slower(jobs, 25));
  EXPECT_EQ(compare_runs(b, a)[0].verdict, Verdict::faster);
  EXPECT_THAT(comparison_text(jobs, "a.h5", "b.h5", {80, false}), HasSubstr("after/pruned: only in A"));
}

TEST(Compare, AJobThatIsLostCountsAsSlower) {
  const RunRecord a = test::sample_run();
  RunRecord b = a;
  b.jobs[0].status = Status::failed;
  EXPECT_TRUE(any_slower(compare_runs(a, b), 1000));
}

TEST(Csv, QuotesAsRfc4180Says) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, WritesOneFileATable) {
  const test::TemporaryDirectory folder;
  const auto out = folder / "csv";
  export_csv(test::sample_run(), out, false);
  for (const char* name :
       {"provenance", "libraries", "hosts", "links_latency_ns", "links_bandwidth_bytes_per_second", "jobs", "layers",
        "latency", "predictions", "labels", "logits", "ranks", "telemetry", "training", "expectations"}) {
    EXPECT_TRUE(std::filesystem::exists(out / (std::string(name) + ".csv"))) << name;
  }
  EXPECT_THAT(contents_of(out / "latency.csv"), testing::StartsWith("job,repeat,call,latency\r\nserial,0,0,"));
  EXPECT_THAT(contents_of(out / "latency.csv"), HasSubstr("\r\n\"grid[precision=int8,attention=flash]\",1,63,"));
  const std::string jobs = contents_of(out / "jobs.csv");
  EXPECT_THAT(jobs, HasSubstr("id,task,status,attempts,reason"));
  EXPECT_THAT(jobs, HasSubstr("latency_p50_ns"));
  // The absent energy is an empty last cell; the failed job has no summary at all.
  EXPECT_THAT(jobs, HasSubstr("91000000,13990000,\r\n"));
  EXPECT_EQ(std::count(jobs.begin(), jobs.end(), '\r'), 5);
  EXPECT_THAT(contents_of(out / "expectations.csv"),
              HasSubstr("serial,\"outputs_match: {job: serial, rtol: 0.0001}\",3.2e-07,0.0001,1,\r\n"));
}

TEST(Csv, LeavesAFolderAloneThatHoldsSomething) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "mine.txt") << "mine";
  EXPECT_THROW(export_csv(test::sample_run(), folder.path(), false), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "jobs.csv"));
  export_csv(test::sample_run(), folder.path(), true);
  EXPECT_TRUE(std::filesystem::exists(folder / "jobs.csv"));
}

TEST(Report, IsOnePageThatNeedsNothingElse) {
  const std::string html = report::html_report(test::sample_run(), "k.h5");
  for (const char* absent : {"<script", "http://", "https://", "<link", "<img", "url(", "@import"})
    EXPECT_THAT(html, Not(HasSubstr(absent)));
  for (const char* present : {"<!doctype html>", "prefers-color-scheme", "viewport", "<svg", "Expectations", "Layers",
                              "The slowest 15 of 20", "Hosts", "Provenance", "✓ met", "Cortex-A76"}) {
    EXPECT_THAT(html, HasSubstr(present));
  }
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
    for (ExpectationRow& row : job.expectations) row.text = row.note = evil;
  }
  EXPECT_THAT(report::html_report(run, evil), Not(HasSubstr("<b ")));
  EXPECT_THAT(report::html_report(run, evil), HasSubstr("&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;"));
}

TEST(Report, ARunWithoutAnythingStillMakesAPage) {
  EXPECT_THAT(report::html_report(RunRecord{}, "empty"), HasSubstr("No job has ended"));
}

}  // namespace
}  // namespace edgelab::results
