// Two sides of the same jobs: what differs, how sure that is, and what was accepted before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/random.hpp"
#include "results/compare/baseline.hpp"
#include "results/compare/comparison.hpp"
#include "results/compare/shown.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

Side side_of(RunRecord run, const char* name = "a.h5") { return {name, {std::move(run)}}; }

// A process of one job with a median latency of its own: what differs from process to process by chance (2 %) times `factor`.
RunRecord process(CounterRandom& random, double factor, std::int64_t start_wall_ns) {
  RunRecord run;
  run.provenance.start_wall_ns = start_wall_ns;
  run.hosts.push_back(test::sample_run().hosts[0]);
  JobRecord job;
  job.id = "speed";
  const double own = 4e6 * factor * std::exp(0.02 * random.normal());
  for (int i = 0; i < 20; ++i) job.latency_ns.push_back(static_cast<std::int64_t>(own * (1 + 0.001 * random.normal())));
  job.calls = 20;
  job.repeats = 1;
  job.summary.latency_p50_ns = static_cast<std::int64_t>(own);
  job.summary.throughput_samples_per_second = 1e9 / own;
  run.jobs.push_back(job);
  return run;
}

// Two sides of as many processes, run by turns.
std::pair<Side, Side> sides(std::uint64_t seed, int processes, double factor_of_b) {
  CounterRandom random(stream_key(seed, "processes"));
  std::pair<Side, Side> both{{"a", {}}, {"b", {}}};
  for (int i = 0; i < processes; ++i) {
    both.first.runs.push_back(process(random, 1, 2 * i));
    both.second.runs.push_back(process(random, factor_of_b, 2 * i + 1));
  }
  return both;
}

Verdict verdict_of_speed(const std::pair<Side, Side>& both) {
  return compare_sides(both.first, both.second).jobs[0].verdict;
}

TEST(Compare, TellsFasterSlowerAndWhatIsMissing) {
  const RunRecord a = test::sample_run();
  RunRecord b = a;
  for (auto& time : b.jobs[0].latency_ns) time = time * 12 / 10;
  *b.jobs[0].summary.latency_p50_ns = *b.jobs[0].summary.latency_p50_ns * 12 / 10;
  b.jobs.erase(b.jobs.begin() + 3);
  const Comparison comparison = compare_sides(side_of(a), side_of(b));
  ASSERT_EQ(comparison.jobs.size(), 4u);
  EXPECT_EQ(comparison.jobs[0].verdict, Verdict::slower);
  EXPECT_EQ(comparison.jobs[0].find("latency_p50_ns")->resampled, Resampled::calls);
  EXPECT_EQ(comparison.jobs[1].verdict, Verdict::cannot_tell);
  EXPECT_FALSE(comparison.jobs[3].in_b);
  EXPECT_TRUE(any_slower(comparison, 10));
  EXPECT_FALSE(any_slower(comparison, 25));
  EXPECT_EQ(compare_sides(side_of(b), side_of(a)).jobs[0].verdict, Verdict::faster);
  const std::string text = comparison_text(comparison, {80, false});
  EXPECT_THAT(text, HasSubstr("after/pruned: only in A"));
  EXPECT_THAT(text, HasSubstr("+20.0 %"));
  EXPECT_THAT(text, HasSubstr("a side has fewer than 5 processes (1 and 1)"));
}

TEST(Compare, AJobThatIsLostCountsAsSlower) {
  const RunRecord a = test::sample_run();
  RunRecord b = a;
  b.jobs[0].status = Status::failed;
  EXPECT_TRUE(any_slower(compare_sides(side_of(a), side_of(b)), 1000));
}

TEST(Compare, OfFiveProcessesASideItCallsATenthMoreAndSeldomAnythingOfEquals) {
  constexpr int kTrials = 200;
  int false_alarms = 0, found = 0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    false_alarms += verdict_of_speed(sides(trial, 5, 1.0)) != Verdict::cannot_tell;
    found += verdict_of_speed(sides(trial + 1000, 5, 1.1)) == Verdict::slower;
  }
  EXPECT_LE(false_alarms, kTrials / 20);
  EXPECT_GE(found, kTrials * 19 / 20);
}

TEST(Compare, CallsWithinProcessesWouldHaveCalledEqualsDifferent) {
  // Why processes are resampled: the calls of a process lie close together, its neighbour's do not lie with them.
  int false_alarms = 0;
  for (std::uint64_t trial = 0; trial < 40; ++trial)
    false_alarms += verdict_of_speed(sides(trial, 1, 1.0)) != Verdict::cannot_tell;
  EXPECT_GT(false_alarms, 20);
}

TEST(Compare, SaysWhatItResamplesAndWhatMakesItLessSure) {
  auto both = sides(1, 5, 1.0);
  Comparison comparison = compare_sides(both.first, both.second);
  EXPECT_EQ(comparison.jobs[0].find("latency_p50_ns")->resampled, Resampled::processes);
  EXPECT_TRUE(comparison.cautions.empty());
  EXPECT_THAT(comparison_text(comparison, {100, false}), HasSubstr("resample processes"));
  for (RunRecord& run : both.second.runs) run.provenance.start_wall_ns += 1000;
  both.second.runs[0].hosts[0].cpu_model = "other";
  comparison = compare_sides(both.first, both.second);
  EXPECT_THAT(comparison.cautions,
              testing::ElementsAre(HasSubstr("different machines"), HasSubstr("run them by turns")));
}

TEST(Compare, AccuracyIsHeldImageAgainstImage) {
  RunRecord a = test::sample_run();
  JobRecord& job = a.jobs[0];
  job.labels.assign(200, 1);
  job.predictions.assign(200, 1);
  job.summary.top1 = 1.0;
  RunRecord b = a;
  for (std::size_t i = 0; i < 20; ++i) b.jobs[0].predictions[i] = 2;
  b.jobs[0].summary.top1 = 0.9;
  const Comparison comparison = compare_sides(side_of(a), side_of(b));
  const MetricComparison* top1 = comparison.jobs[0].find("top1");
  EXPECT_EQ(top1->verdict, Verdict::worse);
  EXPECT_EQ(top1->resampled, Resampled::samples);
  EXPECT_LT(top1->interval->low, -0.1);
  EXPECT_LT(top1->interval->high, 0);
  EXPECT_TRUE(any_worse(comparison, 5));
  EXPECT_FALSE(any_worse(comparison, 15));
  EXPECT_THAT(comparison_text(comparison, {100, false}), HasSubstr("−10.00 points"));
  // As many gained as lost: no difference, and an interval about it.
  for (std::size_t i = 0; i < 10; ++i) a.jobs[0].predictions[100 + i] = 2, b.jobs[0].predictions[i] = 1;
  EXPECT_EQ(compare_sides(side_of(a), side_of(b)).jobs[0].find("top1")->verdict, Verdict::cannot_tell);
}

TEST(Compare, JsonHasTheNumbersAndTheVerdict) {
  const auto both = sides(2, 5, 1.5);
  const auto json = comparison_json(compare_sides(both.first, both.second));
  EXPECT_EQ(json["jobs"]["speed"]["verdict"], "slower");
  EXPECT_EQ(json["jobs"]["speed"]["latency_p50_ns"]["resampled"], "processes");
  EXPECT_GT(json["jobs"]["speed"]["latency_p50_ns"]["ratio_95"][0], 1.3);
  EXPECT_EQ(json["jobs"]["speed"]["throughput_samples_per_second"]["verdict"], "slower");
}

TEST(Baseline, KeepsWhatComparisonsReadAndGivesTheSameVerdict) {
  const test::TemporaryDirectory folder;
  const auto path = folder / "new/baseline.jsonl";
  EXPECT_TRUE(read_baseline(path).empty());
  const auto first = sides(3, 5, 1.0), second = sides(4, 5, 1.2);
  accept_into_baseline(path, first.first, 1000);
  accept_into_baseline(path, second.second, 2000);
  const auto accepted = read_baseline(path);
  ASSERT_EQ(accepted.size(), 2u);
  EXPECT_EQ(accepted[0].accepted_wall_ns, 1000);
  EXPECT_EQ(accepted[0].side.runs, first.first.runs);
  EXPECT_EQ(compare_sides(accepted[0].side, accepted[1].side).jobs[0].verdict, Verdict::slower);
  const std::string trend = trend_text(accepted, second.second, {100, false});
  EXPECT_THAT(trend, HasSubstr("2 accepted"));
  EXPECT_THAT(trend, HasSubstr("▁█"));
  EXPECT_EQ(trend_json(accepted, second.second)["latency_p50_ns"]["speed"].size(), 3u);
}

TEST(Baseline, LeavesOutWhatNoComparisonReads) {
  const test::TemporaryDirectory folder;
  accept_into_baseline(folder / "b.jsonl", side_of(test::sample_run()), 1);
  const JobRecord job = read_baseline(folder / "b.jsonl")[0].side.runs[0].jobs[0];
  EXPECT_TRUE(job.layers.empty() && job.logits.empty() && job.telemetry.empty());
  EXPECT_EQ(job.latency_ns, test::sample_run().jobs[0].latency_ns);
}

TEST(Baseline, OtherMachinesDoNotCount) {
  RunRecord other = test::sample_run();
  other.hosts[0].cores = 64;
  const std::vector<AcceptedSide> accepted = {{1, side_of(other)}, {2, side_of(test::sample_run())}};
  const auto same = of_same_machines(accepted, side_of(test::sample_run()));
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(same[0].accepted_wall_ns, 2);
}

TEST(Baseline, ADamagedLineIsNamed) {
  const test::TemporaryDirectory folder;
  accept_into_baseline(folder / "b.jsonl", side_of(test::sample_run()), 1);
  std::ofstream(folder / "b.jsonl", std::ios::app) << "{\"accepted_wall_ns\": 2\n";
  try {
    read_baseline(folder / "b.jsonl");
    FAIL() << "a damaged line went unnoticed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("b.jsonl:2"));
  }
}

}  // namespace
}  // namespace edgelab::results
