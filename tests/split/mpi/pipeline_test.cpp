#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "split_job.hpp"

// Pipeline: any model, any number of ranks, and the answers of one rank.
namespace edgelab::tasks {
namespace {

using example::expect_as_on_one_rank;
using example::small_inference;

parallel::Communicator world() { return parallel::Communicator::world().duplicate(); }

JobSpec pipelined(const std::string& arch) {
  JobSpec spec = small_inference(arch);
  spec.parallel.strategy = Strategy::pipeline;
  return spec;
}

// So many blocks a stage that the first and the last have least.
std::vector<int> uneven(int blocks, int stages) {
  std::vector<int> counts(static_cast<std::size_t>(stages), 0);
  for (int block = 0, stage = stages / 2; block < blocks; ++block, stage = (stage + (block % 3 == 0 ? 2 : 1)) % stages) ++counts[static_cast<std::size_t>(stage)];
  return counts;
}

class Pipeline : public testing::TestWithParam<const char*> {};

TEST_P(Pipeline, AnswersAsOneRankDoesHoweverTheLayersAreShared) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(GetParam());
  expect_as_on_one_rank(spec, all);
  spec.parallel.partition = uneven(spec.model.arch == "mobilenet_v2" ? 17 : 5, all.size());
  expect_as_on_one_rank(spec, all);
}

TEST_P(Pipeline, AnswersAsOneRankDoesInBatchesAndMicroBatchesThatDontDivide) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(GetParam());
  spec.batch = 4;  // 11 samples: 4, 4, 3
  spec.parallel.microbatch = 3;  // 3 and 1
  expect_as_on_one_rank(spec, all);
  spec.task = Task::evaluate;
  spec.measure.warmup = 1;
  expect_as_on_one_rank(spec, all);
}

TEST_P(Pipeline, AnswersAsOneRankDoesInBf16AndOnTheEagerGraph) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(GetParam());
  spec.graph = GraphMode::eager;
  expect_as_on_one_rank(spec, all);
  spec.graph = GraphMode::fused;
  spec.precision = Precision::bf16;
  expect_as_on_one_rank(spec, all, 0.15);  // kernels are chosen for each part by itself, and bf16 rounds where they round
}

TEST_P(Pipeline, NarrowWiresCostAsMuchAsTheyRound) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(GetParam());
  for (const auto& [wire, tolerance] : {std::pair{Wire::fp16, 0.02}, {Wire::bf16, 0.15}, {Wire::int8, 0.5}}) {
    spec.parallel.wire = wire;
    expect_as_on_one_rank(spec, all, tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Pipeline, testing::ValuesIn(example::kArchs));

TEST(PipelineRecord, EveryRankSaysWhichLayersItHadAndWhatTravelled) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined("vit_tiny_patch16_224");
  spec.ranks = all.size();
  spec.measure.repeats = 2;
  const results::JobRecord record = example::run(spec, all);
  if (all.rank() != 0) return;
  EXPECT_EQ(record.latency_ns.size(), 22u);
  EXPECT_EQ(record.predictions.size(), 11u);
  std::int64_t sent = 0;
  for (std::size_t r = 0; r < record.ranks.size(); ++r) {
    EXPECT_TRUE(record.ranks[r].role.starts_with("stage " + std::to_string(r + 1) + " of " + std::to_string(all.size()))) << record.ranks[r].role;
    EXPECT_GT(record.ranks[r].compute_ns, 0);
    sent += record.ranks[r].bytes_sent;
  }
  if (all.size() > 1) {
    EXPECT_GT(sent, 2 * 11 * 10 * 4);  // the answers of two passes at least
  }
  EXPECT_FALSE(record.layers.empty());
  EXPECT_EQ(record.layers.back().name, "head");
}

TEST(PipelineRecord, HasWhatWasPredictedBesideWhatWasMeasured) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined("vit_tiny_patch16_224");
  spec.ranks = all.size();
  const auto forecast_of = [&] { return example::run(spec, all).forecast; };
  for (const Strategy strategy : {Strategy::pipeline, Strategy::tensor, Strategy::sequence}) {
    spec.parallel.strategy = strategy;
    const results::ForecastRecord forecast = forecast_of();
    if (all.rank() != 0) continue;
    EXPECT_GT(forecast.predicted_latency_ns, 0.0);
    EXPECT_GT(forecast.measured_latency_ns, 0.0);
    EXPECT_GT(forecast.predicted_samples_per_second, 0.0);
    EXPECT_GT(forecast.measured_samples_per_second, 0.0);
    if (all.size() == 1) {
      EXPECT_EQ(forecast.layout, "one rank");
      EXPECT_EQ(forecast.predicted_bytes, 0.0);
    } else {
      // Of the shares that were taken, whatever the ranks' speeds were measured to be.
      constexpr double kBesides = 2000.0;  // clocks are compared, too
      EXPECT_GE(forecast.measured_bytes, forecast.predicted_bytes) << forecast.layout;
      EXPECT_LE(forecast.measured_bytes, forecast.predicted_bytes + kBesides) << forecast.layout;
    }
  }
  spec.parallel.strategy = Strategy::pipeline;
  spec.parallel.partition = uneven(5, all.size());
  const results::ForecastRecord own_cut = forecast_of();
  if (all.rank() == 0) {
    EXPECT_NE(own_cut.layout.find(" as ["), std::string::npos) << own_cut.layout;
  }
}

// In order, none within another, and of the same micro-batches on every rank that works.
TEST(PipelineRecord, HasTheSpansOfEveryRank) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined("vit_tiny_patch16_224");
  spec.ranks = all.size();
  spec.measure.repeats = 2;
  for (const Strategy strategy : {Strategy::pipeline, Strategy::tensor, Strategy::sequence}) {
    spec.parallel.strategy = strategy;
    const results::JobRecord record = example::run(spec, all);
    if (all.rank() != 0) continue;
    std::set<std::set<std::int64_t>> kept;
    for (const results::RankRow& row : record.ranks) {
      ASSERT_FALSE(row.span_kind.empty()) << row.role;
      EXPECT_EQ(row.spans_began_wall_ns, record.ranks.front().spans_began_wall_ns);
      ASSERT_EQ(row.span_start_ns.size(), row.span_kind.size());
      ASSERT_EQ(row.span_end_ns.size(), row.span_kind.size());
      std::set<std::int64_t> micro_batches;
      for (std::size_t i = 0; i < row.span_kind.size(); ++i) {
        EXPECT_LT(row.span_start_ns[i], row.span_end_ns[i]);
        EXPECT_TRUE(i == 0 || row.span_end_ns[i - 1] <= row.span_start_ns[i]) << row.role << ", span " << i;
        micro_batches.insert(row.span_microbatch[i]);
      }
      kept.insert(micro_batches);
    }
    ASSERT_EQ(kept.size(), 1u) << "all ranks keep the same micro-batches";
    EXPECT_EQ(*kept.begin()->begin(), 0);
    if (strategy != Strategy::pipeline) continue;
    EXPECT_EQ(kept.begin()->size(), 11u) << "the last pass alone, and whole";
    // Whoever comes later in a pipeline has its first micro-batch later, by the clock that they share.
    const auto first_of = [&](std::size_t rank) {
      const results::RankRow& row = record.ranks[rank];
      const auto kind = static_cast<std::int32_t>(rank == 0 ? results::SpanKind::compute : results::SpanKind::receive);
      const auto found = std::find(row.span_kind.begin(), row.span_kind.end(), kind);
      return found == row.span_kind.end() ? -1 : row.span_start_ns[static_cast<std::size_t>(found - row.span_kind.begin())];
    };
    for (std::size_t r = 1; r < record.ranks.size(); ++r) EXPECT_GT(first_of(r), first_of(r - 1));
  }
}

TEST(PipelineErrors, ACountThatDoesNotFitIsEverybodysError) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined("vit_tiny_patch16_224");
  spec.ranks = all.size();
  spec.parallel.partition.assign(static_cast<std::size_t>(all.size()), 1);
  if (all.size() == 1 || all.size() == 5) return;  // nothing is split, or that fits
  try {
    example::run(spec, all);
    ADD_FAILURE() << "it ran";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("parallel.partition"), std::string::npos) << error.what();
  }
}

TEST(PipelineErrors, ACancelledJobEndsOnEveryRank) { example::expect_cancelled(pipelined("vit_tiny_patch16_224"), world()); }

}  // namespace
}  // namespace edgelab::tasks
