// What scenarios come to, on a made-up clock; and jobs that have one.
#include "tasks/scenario/scenario_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/host_root.hpp"
#include "tasks/made_up_model.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/small_job.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

using test::MadeUpModel;
using testing::HasSubstr;

constexpr std::int64_t kMs = 1'000'000, kSecond = 1'000'000'000;

results::JobRecord record_of(const ScenarioSpec& spec, MadeUpModel& model) {
  const Subject subject = model.subject();
  results::JobRecord record;
  record_scenario(spec, run_scenario(spec, 7, subject, model.timer(), {}), subject.batch, record);
  return record;
}

ScenarioSpec of_kind(Scenario kind) {
  ScenarioSpec spec;
  spec.kind = kind;
  return spec;
}

ScenarioSpec server(std::int64_t latency_bound_ns) {
  ScenarioSpec spec = of_kind(Scenario::server);
  spec.latency_bound_ns = latency_bound_ns;
  return spec;
}

TEST(Scenario, SingleStreamIsAboutThe90thPercentile) {
  MadeUpModel model(kMs);
  model.lasts([](std::int64_t call) { return call % 8 == 0 ? 9 * kMs : 4 * kMs; });
  const results::JobRecord record = record_of(of_kind(Scenario::single_stream), model);
  EXPECT_EQ(record.summary.validity, "VALID");
  EXPECT_FALSE(record.summary.invalid_reason);
  EXPECT_EQ(record.scenario.kind, "single_stream");
  EXPECT_EQ(record.scenario.metric, "latency_p90_ns");
  EXPECT_DOUBLE_EQ(record.scenario.value, 9.0 * kMs);
  EXPECT_EQ(record.scenario.percentile_at_most_ns, 9 * kMs);
  EXPECT_GE(record.scenario.duration_ns, 5 * kSecond);
  EXPECT_EQ(record.scenario.samples_per_query, 1);
  EXPECT_EQ(static_cast<std::int64_t>(record.latency_ns.size()), record.scenario.queries);
  EXPECT_NEAR(*record.summary.throughput_samples_per_second, 8 / 0.037, 0.5);
}

TEST(Scenario, MultiStreamAsksForEightSamplesAtOnceAndIsAboutThe99thPercentile) {
  MadeUpModel model(4 * kMs, 8);
  const results::JobRecord record = record_of(of_kind(Scenario::multi_stream), model);
  EXPECT_EQ(record.scenario.metric, "latency_p99_ns");
  EXPECT_DOUBLE_EQ(record.scenario.value, 4.0 * kMs);
  EXPECT_EQ(record.scenario.samples_per_query, 8);
  EXPECT_EQ(record.scenario.queries, 1250);  // five seconds of them
  EXPECT_NEAR(*record.summary.throughput_samples_per_second, 2000, 1e-6);
}

TEST(Scenario, OfflineIsAboutThroughput) {
  MadeUpModel model(20 * kMs, 16);
  const results::JobRecord record = record_of(of_kind(Scenario::offline), model);
  EXPECT_EQ(record.summary.validity, "VALID");
  EXPECT_EQ(record.scenario.metric, "samples_per_second");
  EXPECT_NEAR(record.scenario.value, 800, 1e-6);
  EXPECT_EQ(record.scenario.queries, 1);
  EXPECT_EQ(record.scenario.samples_per_query, 16 * 250);
  EXPECT_FALSE(record.scenario.percentile);
}

TEST(Scenario, WithTooFewQueriesIsInvalid) {
  ScenarioSpec spec = of_kind(Scenario::single_stream);
  spec.max_duration_ns = 10 * kSecond;
  MadeUpModel model(kSecond);
  const results::JobRecord record = record_of(spec, model);
  EXPECT_EQ(record.summary.validity, "INVALID");
  EXPECT_EQ(record.summary.invalid_reason, "too few queries: 10 of 64 in 10.0 s, the longest that it may take");
  EXPECT_FALSE(record.scenario.percentile_at_most_ns);
  EXPECT_DOUBLE_EQ(record.scenario.value, 1.0 * kSecond);  // all the same
}

TEST(Scenario, ThatDriftsIsInvalid) {
  MadeUpModel model(kMs);
  model.lasts([](std::int64_t call) { return kMs + call * 200; });
  const results::JobRecord record = record_of(of_kind(Scenario::single_stream), model);
  EXPECT_EQ(record.summary.validity, "INVALID");
  EXPECT_THAT(record.summary.invalid_reason.value_or(""), HasSubstr("drift: the last third of the calls took 1."));
}

TEST(Scenario, CallsEveryReasonByItsName) {
  results::Summary summary;
  summary.validity = "VALID";
  call_invalid(summary, "one");
  call_invalid(summary, "two");
  EXPECT_EQ(summary.validity, "INVALID");
  EXPECT_EQ(summary.invalid_reason, "one; two");
}

// Share of queries that an M/D/1 queue keeps waiting no longer than `wait`, in calls. (Erlang 1909.)
double share_within(double wait, double utilisation) {
  double sum = 0, term_sign = 0;
  for (int k = 0; k <= static_cast<int>(wait); ++k) {
    const double x = utilisation * (wait - k);
    term_sign = k % 2 == 0 ? 1 : -1;
    sum += term_sign * std::exp(k * std::log(std::max(x, 1e-300)) - std::lgamma(k + 1.0) + x);
  }
  return (1 - utilisation) * sum;
}

TEST(Scenario, OfAServerFindsTheRateThatTheoryHasForAnMD1Queue) {
  EXPECT_NEAR(share_within(0, 0.5), 0.5, 1e-12);  // who comes to an idle server
  for (const std::int64_t bound_ms : {3, 5, 10}) {
    double low = 0, high = 1;
    while (high - low > 1e-9) {
      const double middle = (low + high) / 2;
      (share_within(static_cast<double>(bound_ms - 1), middle) >= 0.99 ? low : high) = middle;
    }
    ScenarioSpec spec = server(bound_ms * kMs);
    spec.tolerance = 0.01;
    spec.min_queries = 50'000;
    MadeUpModel model(kMs);
    const results::JobRecord record = record_of(spec, model);
    EXPECT_EQ(record.summary.validity, "VALID") << record.summary.invalid_reason.value_or("");
    EXPECT_EQ(record.scenario.metric, "queries_per_second");
    EXPECT_EQ(record.scenario.latency_bound_ns, bound_ms * kMs);
    // Theory's rate in queries a second is the utilisation times 1000. What is found errs to the safe side.
    EXPECT_GT(record.scenario.value, 1000 * low * 0.95) << bound_ms;
    EXPECT_LT(record.scenario.value, 1000 * low * 1.01) << bound_ms;
    EXPECT_LE(record.rates.size(), 20u);
    EXPECT_TRUE(
        std::any_of(record.rates.begin(), record.rates.end(), [](const results::RateRow& row) { return row.met; }));
  }
}

TEST(Scenario, OfAServerThatCannotKeepItsBoundIsInvalidAndSaysWhatACallTakes) {
  MadeUpModel model(18 * kMs);
  const results::JobRecord record = record_of(server(15 * kMs), model);
  EXPECT_EQ(record.summary.validity, "INVALID");
  EXPECT_THAT(record.summary.invalid_reason.value_or(""), HasSubstr("over the bound of 15.0 ms; a call takes 18.0 ms"));
  for (const results::RateRow& row : record.rates) {
    EXPECT_FALSE(row.met);
    EXPECT_LE(row.queries, 2);  // the second late one decided it, if not the first
  }
  EXPECT_LE(record.scenario.queries, 2);  // and what is plain is not measured for minutes
}

TEST(Scenario, OfAServerWithARateIsMeasuredAtItAndSearchesNothing) {
  ScenarioSpec spec = server(15 * kMs);
  spec.rate = 100;
  MadeUpModel model(kMs);
  const results::JobRecord record = record_of(spec, model);
  EXPECT_TRUE(record.rates.empty());
  EXPECT_DOUBLE_EQ(record.scenario.value, 100);
  EXPECT_EQ(record.scenario.queries, 662);
  EXPECT_EQ(record.summary.validity, "VALID");
}

TEST(Scenario, TellsWhenWhatCountsBegins) {
  ScenarioSpec spec = server(5 * kMs);
  MadeUpModel model(kMs);
  std::size_t calls_before = 0;
  ScenarioHooks hooks;
  hooks.measured_begins = [&] { calls_before = model.asked().size(); };
  const ScenarioOutcome outcome = run_scenario(spec, 7, model.subject(), model.timer(), hooks);
  EXPECT_GT(calls_before, 16u);  // the search
  EXPECT_EQ(model.asked().size() - calls_before, outcome.log.call_ns.size());
}

TEST(Scenario, EndsWhenItsCheckThrows) {
  MadeUpModel model(kMs);
  ScenarioHooks hooks;
  hooks.check = [&] {
    if (model.asked().size() == 3) throw Cancelled();
  };
  EXPECT_THROW(run_scenario(of_kind(Scenario::offline), 7, model.subject(), model.timer(), hooks), Cancelled);
  EXPECT_EQ(model.asked().size(), 3u);
}

// Jobs, on Communicator::self() and the real clock.
class ScenarioJobs : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  results::JobRecord run(const JobSpec& spec) const {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, 2, {}, {}, true, {}, {}, {}};
    context.host_root = host_.path();
    return run_task(spec, context);
  }

  static JobSpec job(Task task, const ScenarioSpec& scenario) {
    JobSpec spec = example::small_job(task);
    spec.measure = {};  // a scenario has its own
    spec.scenario = scenario;
    // So few calls, two a query of several streams, that no drift is looked for: nothing here depends on how busy the machine is.
    spec.scenario->min_queries = scenario.kind == Scenario::multi_stream ? 10 : 20;
    spec.scenario->min_duration_ns = 1;
    return spec;
  }

  test::HostRoot host_;
};

TEST_F(ScenarioJobs, OfEveryKindAreValidAndGiveTheAnswersOfEvaluate) {
  JobSpec plain = job(Task::evaluate, of_kind(Scenario::offline));  // which has no use for it
  const results::JobRecord evaluated = run(plain);
  EXPECT_EQ(evaluated.scenario.kind, "");
  ScenarioSpec relaxed = server(3600 * kSecond);
  relaxed.rate = 2000;
  for (const ScenarioSpec& scenario :
       {of_kind(Scenario::single_stream), of_kind(Scenario::multi_stream), relaxed, of_kind(Scenario::offline)}) {
    const results::JobRecord record = run(job(Task::infer, scenario));
    EXPECT_EQ(record.summary.validity, "VALID")
        << record.scenario.kind << ": " << record.summary.invalid_reason.value_or("");
    EXPECT_EQ(record.predictions, evaluated.predictions) << record.scenario.kind;
    EXPECT_EQ(record.logits, evaluated.logits) << record.scenario.kind;
    EXPECT_EQ(record.summary.samples, 13);
    EXPECT_EQ(record.energy.size(), 1u);
    EXPECT_GT(*record.summary.latency_p99_ns, 0);
    EXPECT_EQ(record.calls, static_cast<std::int64_t>(record.latency_ns.size()));
  }
}

TEST_F(ScenarioJobs, OfBenchNeedNoData) {
  JobSpec spec = job(Task::bench, of_kind(Scenario::offline));
  spec.data = {};
  const results::JobRecord record = run(spec);
  EXPECT_EQ(record.scenario.samples_per_query, 20);
  EXPECT_EQ(record.latency_ns.size(), 5u);
}

TEST_F(ScenarioJobs, OnAHostThatIsThrottledAreInvalid) {
  host_.write("sys/devices/platform/soc/soc:firmware/get_throttled", "4\n");
  const results::JobRecord record = run(job(Task::infer, of_kind(Scenario::single_stream)));
  EXPECT_EQ(record.summary.validity, "INVALID");
  EXPECT_EQ(record.summary.invalid_reason, "throttling: " + record.summary.throttling.value_or(""));
}

TEST_F(ScenarioJobs, OverRanksAreRefusedBeforeTheyStart) {
  JobSpec spec = job(Task::infer, of_kind(Scenario::single_stream));
  spec.ranks = 2;
  spec.parallel.strategy = Strategy::pipeline;
  const std::vector<Error> problems = unsupported(spec);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems.front().what(), HasSubstr("queries of a scenario go to a model on one rank"));
}

}  // namespace
}  // namespace edgelab::tasks
