// Two sides of the same jobs: what differs, how sure that is, and what was accepted before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/random.hpp"
#include "results/compare/baseline.hpp"
#include "results/bootstrap.hpp"
#include "results/compare/comparison.hpp"
#include "results/compare/shown.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

Side side_of(RunRecord run, const char* name = "a.h5") { return {name, {std::move(run)}}; }

// sample_run without scenarios, whose jobs are judged by the median latency.
RunRecord run_without_scenarios() {
  RunRecord run = test::sample_run();
  for (JobRecord& job : run.jobs) {
    job.scenario = {};
    job.rates.clear();
    job.summary.validity = job.summary.invalid_reason = job.summary.throttling = std::nullopt;
  }
  return run;
}

// A side of as many equal processes, with one job that `change` makes of a plain one.
template <typename Change>
Side side_of_equals(std::size_t processes, Change change) {
  RunRecord run;
  run.hosts.push_back(test::sample_run().hosts[0]);
  JobRecord job;
  job.id = "job";
  change(job);
  run.jobs.push_back(job);
  return {"side", std::vector<RunRecord>(processes, run)};
}

JobComparison compared_job(const Side& a, const Side& b) { return compare_sides(a, b).jobs.at(0); }

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
  const RunRecord a = run_without_scenarios();
  RunRecord b = a;
  for (auto& time : b.jobs[0].latency_ns) time *= 2;
  *b.jobs[0].summary.latency_p50_ns *= 2;
  b.jobs.erase(b.jobs.begin() + 3);
  const Comparison comparison = compare_sides(side_of(a), side_of(b));
  ASSERT_EQ(comparison.jobs.size(), 4u);
  EXPECT_EQ(comparison.jobs[0].verdict, Verdict::slower);
  EXPECT_EQ(comparison.jobs[0].find("latency_p50_ns")->resampled, Resampled::calls);
  EXPECT_EQ(comparison.jobs[1].verdict, Verdict::cannot_tell);
  EXPECT_FALSE(comparison.jobs[3].in_b);
  EXPECT_TRUE(any_slower(comparison, 10));
  EXPECT_FALSE(any_slower(comparison, 50));  // 2 / kFewProcessesFactor is less
  EXPECT_EQ(compare_sides(side_of(b), side_of(a)).jobs[0].verdict, Verdict::faster);
  const std::string text = comparison_text(comparison, {80, false});
  EXPECT_THAT(text, HasSubstr("after/pruned: only in A"));
  EXPECT_THAT(text, HasSubstr("+100.0 %"));
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

TEST(Compare, OfOneProcessASideItCannotTellWhatProcessesMayDifferBy) {
  // Why: the calls of a process lie close together, its neighbour's do not lie with them.
  int calls_differ = 0;
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    const auto both = sides(trial, 1, 1.0);
    const JobComparison job = compared_job(both.first, both.second);
    const Interval calls = job.find("latency_p50_ns")->interval.value();
    calls_differ += calls.low > 1 || calls.high < 1;
    EXPECT_EQ(job.verdict, Verdict::cannot_tell);
    EXPECT_FALSE(any_slower(compare_sides(both.first, both.second), 0));
  }
  EXPECT_GT(calls_differ, 20);
  EXPECT_EQ(verdict_of_speed(sides(1, 1, 1.2)), Verdict::cannot_tell);
  EXPECT_EQ(verdict_of_speed(sides(1, 1, 2.0)), Verdict::slower);
  EXPECT_EQ(verdict_of_speed(sides(1, 1, 0.5)), Verdict::faster);
  EXPECT_EQ(verdict_of_speed(sides(1, 4, 1.2)), Verdict::cannot_tell);
}

TEST(Compare, FailsOnlyWhereAllOfTheIntervalIsBeyondTheBound) {
  const auto both = sides(7, 5, 1.2);
  const Comparison comparison = compare_sides(both.first, both.second);
  const MetricComparison& latency = *comparison.jobs[0].find("latency_p50_ns");
  const double low = 100 * (latency.interval->low - 1), ratio = 100 * (*latency.ratio() - 1);
  ASSERT_GT(ratio, low + 0.2);
  EXPECT_TRUE(any_slower(comparison, low - 0.1));
  EXPECT_FALSE(any_slower(comparison, (low + ratio) / 2));
}

TEST(Compare, ATrainingIsJudgedByItsSamplesASecond) {
  const auto training = [](double rate) {
    return side_of_equals(5, [&](JobRecord& job) {
      job.task = "train";
      job.summary.throughput_samples_per_second = rate;
      job.summary.latency_p50_ns = 4'000'000;  // of the held-out images
      job.latency_ns.assign(20, 4'000'000);
    });
  };
  const Comparison slower = compare_sides(training(100), training(80));
  EXPECT_STREQ(slower.jobs[0].measure, "throughput_samples_per_second");
  EXPECT_EQ(slower.jobs[0].verdict, Verdict::slower);
  EXPECT_TRUE(any_slower(slower, 24));  // a sample takes a quarter longer
  EXPECT_FALSE(any_slower(slower, 26));
  EXPECT_EQ(compared_job(training(80), training(100)).verdict, Verdict::faster);
}

TEST(Compare, AServerIsJudgedByTheRateThatWasFoundAndItsLatenciesAreNot) {
  const auto server = [](double rate, std::int64_t p50) {
    return side_of_equals(5, [&](JobRecord& job) {
      job.scenario.kind = "server";
      job.scenario.metric = "queries_per_second";
      job.scenario.value = rate;
      job.rates.push_back({rate, 700, p50, true});
      job.summary.latency_p50_ns = p50;
      job.latency_ns.assign(20, p50);
    });
  };
  // More queries a second, and more of them wait.
  const JobComparison faster = compared_job(server(100, 4'000'000), server(150, 8'000'000));
  EXPECT_EQ(faster.verdict, Verdict::faster);
  EXPECT_EQ(faster.find("latency_p50_ns")->verdict, Verdict::not_compared);
  EXPECT_TRUE(any_slower(compare_sides(server(150, 8'000'000), server(100, 4'000'000)), 40));
}

TEST(Compare, AServerAtAGivenRateIsJudgedByTheLatencyThatItsBoundIsOn) {
  const auto server = [](std::int64_t p99) {
    return side_of_equals(5, [&](JobRecord& job) {
      job.scenario.kind = "server";
      job.scenario.metric = "queries_per_second";
      job.scenario.value = 50;
      job.summary.latency_p50_ns = 4'000'000;
      job.summary.latency_p99_ns = p99;
    });
  };
  const JobComparison job = compared_job(server(8'000'000), server(12'000'000));
  EXPECT_STREQ(job.measure, "latency_p99_ns");
  EXPECT_EQ(job.verdict, Verdict::slower);
}

TEST(Compare, OtherScenariosAreJudgedByTheirOwnResult) {
  const auto scenario = [](const char* metric, double factor) {
    return side_of_equals(5, [&](JobRecord& job) {
      job.scenario.metric = metric;
      job.summary.latency_p50_ns = 4'000'000;
      job.summary.latency_p90_ns = static_cast<std::int64_t>(5e6 * factor);
      job.summary.latency_p99_ns = static_cast<std::int64_t>(6e6 * factor);
      job.summary.throughput_samples_per_second = 100 / factor;
    });
  };
  for (const char* metric : {"latency_p90_ns", "latency_p99_ns", "samples_per_second"}) {
    EXPECT_EQ(compared_job(scenario(metric, 1), scenario(metric, 1.2)).verdict, Verdict::slower) << metric;
  }
  EXPECT_EQ(compared_job(scenario("", 1), scenario("", 1.2)).verdict, Verdict::cannot_tell);  // by the median, which is the same
}

TEST(Compare, SaysBesideTheVerdictWhereNumbersAreDoubtful) {
  const auto plain = side_of_equals(5, [](JobRecord& job) { job.summary.latency_p50_ns = 4'000'000; });
  Side doubtful = plain;
  for (RunRecord& run : doubtful.runs) run.jobs[0].summary.latency_p50_ns = 6'000'000;
  doubtful.runs[3].jobs[0].summary.throttling = "pi-1: throttled in 12 of 40 readings";
  for (RunRecord& run : doubtful.runs) run.jobs[0].summary.validity = "INVALID";
  doubtful.runs[0].jobs[0].summary.invalid_reason = "too few queries: 12 of 64";
  const Comparison comparison = compare_sides(plain, doubtful);
  const std::string text = comparison_text(comparison, {120, false});
  EXPECT_THAT(text, HasSubstr("slower (INVALID, throttled)"));
  EXPECT_THAT(text, HasSubstr("job: INVALID in B, 5 of 5 processes: too few queries: 12 of 64"));
  EXPECT_THAT(text, HasSubstr("job: throttled in B, 1 of 5 processes: pi-1: throttled in 12 of 40 readings"));
  EXPECT_EQ(comparison_json(comparison)["jobs"]["job"]["doubts"].size(), 2u);
  EXPECT_THAT(comparison_text(compare_sides(plain, plain), {120, false}), Not(HasSubstr("(")));
}

TEST(Compare, EnergyAboveIdleIsHeldAgainstTheOthers) {
  const auto using_joules = [](double joules) {
    return side_of_equals(5, [&](JobRecord& job) { job.summary.energy_above_idle_joules = joules; });
  };
  EXPECT_EQ(compared_job(using_joules(10), using_joules(12)).find("energy_above_idle_joules")->verdict, Verdict::worse);
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
  EXPECT_FALSE(any_worse(comparison, 9.9));  // ten points were lost, and it may have been fewer
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

TEST(Baseline, ShowsTheTrendOfWhatAJobIsJudgedBy) {
  Side now = side_of_equals(1, [](JobRecord& job) {
    job.task = "train";
    job.summary.throughput_samples_per_second = 80;
  });
  std::vector<AcceptedSide> accepted = {{1, now}};
  accepted[0].side.runs[0].jobs[0].summary.throughput_samples_per_second = 100;
  EXPECT_EQ(trend_json(accepted, now)["throughput_samples_per_second"]["job"], nlohmann::ordered_json({100.0, 80.0}));
  EXPECT_THAT(trend_text(accepted, now, {100, false}), HasSubstr("-20.0 %"));
}

TEST(Baseline, LeavesOutWhatNoComparisonReads) {
  const test::TemporaryDirectory folder;
  accept_into_baseline(folder / "b.jsonl", side_of(test::sample_run()), 1);
  const JobRecord job = read_baseline(folder / "b.jsonl")[0].side.runs[0].jobs[0];
  EXPECT_TRUE(job.layers.empty() && job.logits.empty() && job.telemetry.empty() && job.energy.empty());
  EXPECT_TRUE(job.mistakes.empty() && job.class_names.empty() && job.trials.empty());
  EXPECT_EQ(job.scenario, test::sample_run().jobs[0].scenario);
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
