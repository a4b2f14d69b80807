// What people see: show, CSV.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "results/csv_export.hpp"
#include "results/sample_run.hpp"
#include "results/show.hpp"
#include "results/shown_scenarios.hpp"
#include "results/text/sparkline.hpp"
#include "results/text/table.hpp"
#include "results/text/units.hpp"
#include "results/text/width.hpp"
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
  EXPECT_EQ(joules_text(0.0625), "62.5 mJ");
  EXPECT_EQ(joules_text(60.5), "60.5 J");
  EXPECT_EQ(joules_text(0), "0 J");
  EXPECT_EQ(count_text(640), "640");
  EXPECT_EQ(count_text(3'504'872), "3.50 M");
  EXPECT_EQ(share_text(0.9453125), "94.53 %");
  EXPECT_EQ(time_text(0), "1970-01-01 00:00:00 UTC");
}

TEST(Show, FitsAnEightyColumnTerminal) {
  const Look narrow{80, false};
  RunRecord run = test::sample_run();
  for (JobRecord& job : run.jobs) {
    job.telemetry.resize(20, {0, 0, 1.5e9, 61.5, 3.25, 4, 88'000'000});
    for (std::size_t i = 0; i < job.telemetry.size(); ++i) {
      TelemetryRow& row = job.telemetry[i];
      row.frequency_hz += 1e7 * static_cast<double>(i), row.temperature_celsius += static_cast<double>(i), row.power_watt += 0.1 * static_cast<double>(i);
    }
  }
  std::istringstream lines(shown_text(run, "results/k.h5", false, narrow));
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
  EXPECT_THAT(text, HasSubstr("pipeline of 2  4.00 ms   4.10 ms  500.5     480.2  41.0 KB   41.0 KB"));
  EXPECT_THAT(text, HasSubstr("emulated: 0.4 cores, links 1gbit"));
  EXPECT_THAT(text, Not(HasSubstr("\033[")));
  EXPECT_THAT(shown_text(test::sample_run(), "k.h5", false, {80, true}), HasSubstr("\033[32m"));
}

TEST(Show, SaysWhatAScenarioCameToAndWhyItIsInvalid) {
  RunRecord run = test::sample_run();
  const std::string text = shown_text(run, "k.h5", false, {100, false});
  EXPECT_THAT(text, HasSubstr("INVALID  312.5 queries/s within 15.0 ms"));
  EXPECT_THAT(text, HasSubstr("serial: server is INVALID: too few queries: 128 of 662"));
  EXPECT_THAT(shown_text(run, "k.h5", true, {200, false}), testing::ContainsRegex("GFLOP/s +of limit"));
  EXPECT_THAT(text, Not(HasSubstr("slowed down")));  // it would be among the reasons
  for (JobRecord& job : run.jobs) {
    job.scenario = {};
    job.summary.validity = job.summary.invalid_reason = {};
  }
  const std::string plain = shown_text(run, "k.h5", false, {100, false});
  EXPECT_THAT(plain, Not(HasSubstr("INVALID")));
  EXPECT_THAT(plain, HasSubstr("serial: slowed down while it was measured: pi-1: throttled in 12 of 40 readings"));
}

TEST(Show, NamesAScenariosResultByItsMetric) {
  JobRecord job;
  job.scenario = {"single_stream", "latency_p90_ns", 4.12e6, 64, 1, 1, 90.0, 5, {}};
  EXPECT_EQ(scenario_result_text(job), "p90 4.12 ms");
  job.scenario.metric = "samples_per_second";
  job.scenario.value = 840;
  EXPECT_EQ(scenario_result_text(job), "840.0 samples/s");
  job.scenario.metric = "queries_per_second";
  job.scenario.latency_bound_ns = 15'000'000;
  job.summary.latency_p99_ns = 14'000'000;
  EXPECT_EQ(scenario_result_text(job), "840.0 queries/s within 15.0 ms");
  job.summary.latency_p99_ns = 17'900'000;  // no rate was slow enough
  EXPECT_EQ(scenario_result_text(job), "p99 17.9 ms at 840.0 queries/s, over 15.0 ms");
}

TEST(Show, DrawsHowCallsSpreadAndHowTrainingWent) {
  RunRecord run = test::sample_run();
  run.jobs[0].telemetry.push_back(run.jobs[0].telemetry[0]);
  run.jobs[0].telemetry[1].temperature_celsius = 70;
  const std::string text = shown_text(run, "k.h5", false, {100, false});
  EXPECT_THAT(text, HasSubstr("spread"));
  EXPECT_THAT(text, HasSubstr("█▁    1.75  ▁█     37.50 %"));  // loss falls, accuracy rises
  EXPECT_THAT(text, HasSubstr("61.5 to 70.0"));
  EXPECT_THAT(text, HasSubstr("100 %"));  // throttled
}

TEST(Show, SaysWhatSearchesTriedAndTook) {
  RunRecord run = test::sample_run();
  run.jobs[1].trials[1].top1 = std::nan("");
  run.jobs[1].trials[1].taken = false;
  const std::string text = shown_text(run, "k.h5", false, {100, false});
  EXPECT_THAT(text, HasSubstr("serial took trial 1: calibration entropy, scheme symmetric\n"));
  EXPECT_THAT(text, testing::ContainsRegex("serial +2 +▁█ +94.00 % +95.00 % +1\n"));
  EXPECT_THAT(text, testing::ContainsRegex("grid.+\n? +2 +1 +▄? +94.00 %\n"));  // one failed, and none was taken
  for (JobRecord& job : run.jobs) job.trials.clear();
  EXPECT_THAT(shown_text(run, "k.h5", false, {100, false}), Not(HasSubstr("search of")));
}

// The table of jobs, by the terminal's width.
std::string titles_of_jobs(const RunRecord& run, int width) {
  const std::string text = shown_text(run, "k.h5", false, {width, false});
  const std::size_t at = text.find("\njob ") + 1;
  return text.substr(at, text.find('\n', at) - at);
}

TEST(Show, LeavesOutWhatIsLeastOfUseWhereTheTerminalIsNarrow) {
  RunRecord run = test::sample_run();
  for (JobRecord& job : run.jobs) job.summary.energy_above_idle_joules = {};
  EXPECT_THAT(titles_of_jobs(run, 80), testing::ContainsRegex("^job +status +top-1 +p50 +p90 +p99 +spread +per s$"));
  for (JobRecord& job : run.jobs) {
    job.summary.energy_joules = 20;
    job.summary.energy_above_idle_joules = 15.5;
  }
  EXPECT_THAT(titles_of_jobs(run, 80), testing::ContainsRegex("^job +status +top-1 +p50 +p99 +spread +per s +energy$"));
  EXPECT_THAT(titles_of_jobs(run, 200), testing::ContainsRegex("^job +task +status +n +top-1 +p50 +p90 +p99 +spread +per s +memory +energy +above idle$"));
  EXPECT_THAT(shown_text(run, "k.h5", false, {200, false}), testing::ContainsRegex("20.0 J +15.5 J\n"));
}

TEST(Width, CountsWideLettersTwiceAndCombiningOnesNot) {
  EXPECT_EQ(width_of("größe ✓"), 7u);
  EXPECT_EQ(width_of("機械学習"), 8u);
  EXPECT_EQ(width_of("한국어, カナ"), 12u);
  EXPECT_EQ(width_of("ｆｕｌｌ"), 8u);
  EXPECT_EQ(width_of("😀"), 2u);
  EXPECT_EQ(width_of("e\u0301"), 1u);
  EXPECT_EQ(width_of("▁▄█→"), 4u);
  EXPECT_EQ(width_of("a\x80z"), 3u);
  EXPECT_EQ(cut_to("機械学習", 8), "機械学習");
  EXPECT_EQ(cut_to("機械学習", 7), "機械学…");
  EXPECT_EQ(cut_to("機械学習", 6), "機械…");  // half a letter is none
  EXPECT_EQ(cut_to("serial", 4), "ser…");
}

TEST(Width, TablesOfWideNamesStayAligned) {
  TextTable table({{"name", false}, {"value"}});
  table.add({{"機械"}, {"1"}});
  table.add({{"ab"}, {"22"}});
  EXPECT_EQ(table.text({80, false}), "name  value\n機械      1\nab       22\n");
}

TEST(Show, LeavesOutTelemetryOfHostsThatTellNothing) {
  RunRecord run = test::sample_run();
  for (JobRecord& job : run.jobs) {
    for (TelemetryRow& row : job.telemetry) {
      row.frequency_hz = row.temperature_celsius = row.power_watt = std::nan("");
      row.throttle_bits = 0x50000;  // since the start, but not while it was measured
    }
  }
  EXPECT_THAT(shown_text(run, "k.h5", false, {100, false}), Not(HasSubstr("telemetry")));
}

TEST(Sparkline, GoesFromTheLeastToTheGreatestAndPutsManyTogether) {
  EXPECT_EQ(sparkline(std::vector<double>{0, 7, 3.6}, 10), "▁█▅");
  EXPECT_EQ(sparkline(std::vector<double>{5, 5}, 10), "▄▄");
  EXPECT_EQ(sparkline(std::vector<double>{0, 0, 8, 8}, 2), "▁█");
  EXPECT_EQ(sparkline(std::vector<double>{1, std::nan(""), 2}, 3), "▁ █");
  EXPECT_EQ(sparkline({}, 3), "");
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
        "latency", "predictions", "labels", "logits", "ranks", "rates", "telemetry", "energy", "training", "expectations"}) {
    EXPECT_TRUE(std::filesystem::exists(out / (std::string(name) + ".csv"))) << name;
  }
  EXPECT_THAT(contents_of(out / "latency.csv"), testing::StartsWith("job,repeat,call,latency\r\nserial,0,0,"));
  EXPECT_THAT(contents_of(out / "latency.csv"), HasSubstr("\r\n\"grid[precision=int8,attention=flash]\",1,63,"));
  const std::string jobs = contents_of(out / "jobs.csv");
  EXPECT_THAT(jobs, HasSubstr("id,task,status,attempts,reason"));
  EXPECT_THAT(jobs, HasSubstr("latency_p50_ns"));
  // The absent energy is an empty cell; the failed job has no summary at all.
  EXPECT_THAT(jobs, HasSubstr("91000000,13990000,,15.5,0.0625,pi-1: throttled in 12 of 40 readings,INVALID,too few queries: 128 of 662,pipeline of 2,4000000.5,4100000.25,"));
  EXPECT_THAT(jobs, HasSubstr(",server,queries_per_second,312.5,128,"));
  EXPECT_EQ(std::count(jobs.begin(), jobs.end(), '\r'), 5);
  EXPECT_THAT(contents_of(out / "trials.csv"), HasSubstr("serial,1,\"calibration entropy, scheme symmetric\",0.95,0.21,2358273,1234568,1\r\n"));
  EXPECT_THAT(contents_of(out / "span_start_ns.csv"), testing::StartsWith("job,rank,span,span_start_ns\r\nserial,0,0,0\r\nserial,0,1,900000\r\n"));
  EXPECT_THAT(contents_of(out / "span_kind.csv"), HasSubstr("\r\n\"grid[precision=int8,attention=flash]\",1,3,2\r\n"));
  EXPECT_FALSE(std::filesystem::exists(out / "picture.csv"));
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

}  // namespace
}  // namespace edgelab::results
