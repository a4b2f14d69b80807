#include "batch/expectations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace edgelab::batch {
namespace {

using results::ExpectationRow;
using results::JobRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = tasks::Expectation::Kind;

tasks::Expectation expectation(Kind kind, double bound, const std::string& text = "x") { return {kind, "reference", bound, text}; }

JobRecord with_logits(std::vector<float> logits) {
  JobRecord record;
  record.id = "job";
  record.logits = std::move(logits);
  return record;
}

JobRecord with_throughput(double throughput, std::vector<std::string> hosts) {
  JobRecord record;
  record.summary.throughput_samples_per_second = throughput;
  for (const std::string& host : hosts) {
    record.ranks.emplace_back();
    record.ranks.back().host = host;
  }
  return record;
}

JobRecord with_layers(std::vector<std::pair<std::string, std::int64_t>> times) {
  JobRecord record;
  record.id = "job";
  for (const auto& [name, time_ns] : times) {
    record.layers.emplace_back();
    record.layers.back().name = name;
    record.layers.back().time_ns = time_ns;
  }
  return record;
}

TEST(Expectations, LayerSpeedupIsThatOfThePartThatGainedLeast) {
  // a.1 is fused here and two rows there; a.10 is another layer.
  const JobRecord reference = with_layers({{"a.1.conv.0", 60}, {"a.1.conv.1", 40}, {"a.10", 90}, {"head", 30}});
  const JobRecord job = with_layers({{"a.1", 25}, {"a.10", 60}, {"head", 10}});
  const ExpectationRow met = judge(expectation(Kind::layer_speedup_over, 1.5), job, &reference);
  EXPECT_TRUE(met.met);
  EXPECT_DOUBLE_EQ(met.value, 1.5);
  const ExpectationRow missed = judge(expectation(Kind::layer_speedup_over, 1.6), job, &reference);
  EXPECT_FALSE(missed.met);
  EXPECT_THAT(missed.note, HasSubstr("1.5 in a.10"));
}

TEST(Expectations, LayersThatOnlyTheJobHasGainedNothing) {
  const JobRecord reference = with_layers({{"a", 100}, {"gone", 10}});
  const ExpectationRow row = judge(expectation(Kind::layer_speedup_over, 1), with_layers({{"a", 10}, {"converted", 20}}), &reference);
  EXPECT_FALSE(row.met);
  EXPECT_DOUBLE_EQ(row.value, 0.5);
  EXPECT_THAT(row.note, HasSubstr("the rest"));
  EXPECT_TRUE(judge(expectation(Kind::layer_speedup_over, 10), with_layers({{"a", 10}}), &reference).met);
  const ExpectationRow none = judge(expectation(Kind::layer_speedup_over, 1), with_layers({}), &reference);
  EXPECT_FALSE(none.met);
  EXPECT_THAT(none.note, HasSubstr("job has no times of layers"));
}

TEST(Expectations, OutputsMatchMeasuresAgainstTheReferencesStandardDeviation) {
  const JobRecord reference = with_logits({-2, 2, -2, 2});  // standard deviation 2
  const JobRecord near = with_logits({-2, 2, -2, 2.0625F});
  const ExpectationRow met = judge(expectation(Kind::outputs_match, 0.04), near, &reference);
  EXPECT_TRUE(met.met);
  EXPECT_DOUBLE_EQ(met.value, 0.03125);
  EXPECT_FALSE(judge(expectation(Kind::outputs_match, 0.03), near, &reference).met);
}

TEST(Expectations, OutputsMatchRefusesNanAndOtherSizesAndMissingLogits) {
  const JobRecord reference = with_logits({1, 2});
  EXPECT_FALSE(judge(expectation(Kind::outputs_match, 1e9), with_logits({1, std::nanf("")}), &reference).met);
  EXPECT_FALSE(judge(expectation(Kind::outputs_match, 1e9), with_logits({1}), &reference).met);
  const ExpectationRow missing = judge(expectation(Kind::outputs_match, 1e9), with_logits({}), &reference);
  EXPECT_FALSE(missing.met);
  EXPECT_THAT(missing.note, HasSubstr("job has no logits"));
}

TEST(Expectations, OutputsMatchHoldsForEqualConstantLogits) {
  const JobRecord reference = with_logits({3, 3});
  EXPECT_TRUE(judge(expectation(Kind::outputs_match, 0), reference, &reference).met);
  EXPECT_FALSE(judge(expectation(Kind::outputs_match, 0.5), with_logits({3, 3.5F}), &reference).met);
}

TEST(Expectations, ASpeedUpComparesThroughputOnHostsOfTheirOwn) {
  const JobRecord serial = with_throughput(10, {"a"});
  const JobRecord twice = with_throughput(20, {"a", "b"});
  const ExpectationRow row = judge(expectation(Kind::speedup_over, 2.0), twice, &serial);
  EXPECT_TRUE(row.met);
  EXPECT_EQ(row.note, "");
  EXPECT_DOUBLE_EQ(row.value, 2.0);
  EXPECT_FALSE(judge(expectation(Kind::speedup_over, 2.1), twice, &serial).met);
}

TEST(Expectations, ASpeedUpOfRanksOnOneHostIsRecordedAndNotJudged) {
  const JobRecord serial = with_throughput(10, {"a"});
  const JobRecord slower = with_throughput(5, {"a", "a"});
  const ExpectationRow row = judge(expectation(Kind::speedup_over, 2.0), slower, &serial);
  EXPECT_TRUE(row.met);
  EXPECT_DOUBLE_EQ(row.value, 0.5);
  EXPECT_THAT(row.note, HasSubstr("not judged"));
}

TEST(Expectations, ALatencySpeedUpComparesMedians) {
  JobRecord fast, slow;
  fast.summary.latency_p50_ns = 1'000'000;
  slow.summary.latency_p50_ns = 3'000'000;
  EXPECT_DOUBLE_EQ(judge(expectation(Kind::latency_speedup_over, 3.0), fast, &slow).value, 3.0);
  EXPECT_TRUE(judge(expectation(Kind::latency_speedup_over, 3.0), fast, &slow).met);
  EXPECT_FALSE(judge(expectation(Kind::latency_speedup_over, 3.1), fast, &slow).met);
}

TEST(Expectations, AnAccuracyDropIsInPercentagePoints) {
  JobRecord before, after;
  before.summary.top1 = 0.945;
  after.summary.top1 = 0.935;
  EXPECT_TRUE(judge(expectation(Kind::top1_drop_at_most, 1.0), after, &before).met);
  EXPECT_FALSE(judge(expectation(Kind::top1_drop_at_most, 0.9), after, &before).met);
  EXPECT_TRUE(judge(expectation(Kind::top1_drop_at_most, 0.0), before, &after).met);  // a gain is no drop
}

TEST(Expectations, BoundsOnOneJobNeedNoReference) {
  JobRecord record;
  record.summary.top1 = 0.9;
  record.summary.latency_p50_ns = 12'000'000;
  record.summary.model_bytes = 1000;
  EXPECT_TRUE(judge(expectation(Kind::top1_at_least, 0.9), record, nullptr).met);
  EXPECT_FALSE(judge(expectation(Kind::top1_at_least, 0.91), record, nullptr).met);
  EXPECT_TRUE(judge(expectation(Kind::latency_p50_at_most, 12e6), record, nullptr).met);
  EXPECT_FALSE(judge(expectation(Kind::model_bytes_at_most, 999), record, nullptr).met);
}

TEST(Expectations, WhatWasNotMeasuredIsNotMetAndSaysSo) {
  const ExpectationRow row = judge(expectation(Kind::top1_at_least, 0.5, "top1_at_least: 0.5"), JobRecord{}, nullptr);
  EXPECT_FALSE(row.met);
  EXPECT_THAT(failures_of({row}), HasSubstr("expected top1_at_least: 0.5, got"));
}

TEST(Expectations, NamesTheJobsWhoseLogitsAreCompared) {
  tasks::JobSpec plain, compared;
  plain.id = "plain";
  compared.id = "compared";
  compared.expect = {expectation(Kind::outputs_match, 1e-4), expectation(Kind::speedup_over, 2)};
  EXPECT_THAT(jobs_whose_logits_matter({plain, compared}), ElementsAre("compared", "reference"));
}

}  // namespace
}  // namespace edgelab::batch
