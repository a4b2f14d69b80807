#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "split_job.hpp"

// Tensor and sequence parallel: ranks that share the work of each layer answer as one rank does.
namespace edgelab::tasks {
namespace {

using example::expect_as_on_one_rank;
using example::small_inference;

parallel::Communicator world() { return parallel::Communicator::world().duplicate(); }

JobSpec shared(const std::string& arch, Strategy strategy) {
  JobSpec spec = small_inference(arch);
  spec.parallel.strategy = strategy;
  return spec;
}

class SharedLayers : public testing::TestWithParam<std::tuple<const char*, Strategy>> {
 protected:
  JobSpec job() const { return shared(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};

// 6 heads over 4 ranks, 17 tokens over 3, 32 rows over 7, and ranks that are left without a head.
TEST_P(SharedLayers, AnswerAsOneRankDoes) {
  const parallel::Communicator all = world();
  expect_as_on_one_rank(job(), all);
}

TEST_P(SharedLayers, AnswerAsOneRankDoesInBatches) {
  const parallel::Communicator all = world();
  JobSpec spec = job();
  spec.batch = 4;
  spec.parallel.microbatch = 3;
  spec.task = Task::evaluate;
  expect_as_on_one_rank(spec, all);
}

TEST_P(SharedLayers, AnswerAsOneRankDoesInBf16) {
  const parallel::Communicator all = world();
  JobSpec spec = job();
  spec.precision = Precision::bf16;
  expect_as_on_one_rank(spec, all, 0.15);  // sums of other shapes round elsewhere, and what is rounded next differs by whole bf16 steps
}

TEST_P(SharedLayers, NarrowWiresCostAsMuchAsTheyRound) {
  const parallel::Communicator all = world();
  JobSpec spec = job();
  for (const auto& [wire, tolerance] : {std::pair{Wire::fp16, 0.02}, {Wire::bf16, 0.2}, {Wire::int8, 0.6}}) {
    spec.parallel.wire = wire;
    expect_as_on_one_rank(spec, all, tolerance);
  }
}

std::string name_of(const testing::TestParamInfo<std::tuple<const char*, Strategy>>& info) {
  return std::string(std::get<0>(info.param)) + (std::get<1>(info.param) == Strategy::tensor ? "_tensor" : "_sequence");
}

INSTANTIATE_TEST_SUITE_P(Models, SharedLayers, testing::Combine(testing::ValuesIn(example::kArchs), testing::Values(Strategy::tensor, Strategy::sequence)), name_of);

TEST(SharedAttention, NaiveAndFlashAnswerAlike) {
  const parallel::Communicator all = world();
  for (const Strategy strategy : {Strategy::tensor, Strategy::sequence}) {
    JobSpec spec = shared("deit3_small_patch16_224", strategy);
    for (const Attention attention : {Attention::naive, Attention::flash}) {
      spec.attention = attention;
      expect_as_on_one_rank(spec, all);
    }
  }
}

// Sums of integers are exact, so tokens and rows that are dealt out come to the same bits as on one rank, and channels of inverted
// residuals, which are gathered, do too. So do the shares of a sum over heads or hidden units, but floats are added to one another
// behind them, and one that lies between two of the grid's values may then fall to the other. MobileNetV2's last layer alone adds
// floats up, and nothing reads them.
TEST(SharedIntegers, AnswerAsOneRankDoes) {
  const parallel::Communicator all = world();
  for (const char* arch : example::kArchs) {
    for (const Strategy strategy : {Strategy::sequence, Strategy::tensor, Strategy::pipeline}) {
      JobSpec spec = shared(arch, strategy);
      spec.precision = Precision::int8;
      const double tolerance = strategy == Strategy::tensor && std::string(arch) != "mobilenet_v2" ? 0.1 : 1e-5;
      expect_as_on_one_rank(spec, all, tolerance);
      spec.batch = spec.parallel.microbatch = 4;  // grids of random weights are made up from one micro-batch
      expect_as_on_one_rank(spec, all, tolerance);
    }
  }
}

// What travels are channels as bytes, whatever the wire is for floats, of which the logits alone are any.
TEST(SharedIntegers, OfInvertedResidualsTravelAsBytes) {
  const parallel::Communicator all = world();
  JobSpec spec = shared("mobilenet_v2", Strategy::tensor);
  spec.precision = Precision::int8;
  spec.parallel.wire = Wire::int8;
  expect_as_on_one_rank(spec, all, 0.1);
  spec.ranks = all.size();
  const results::JobRecord record = example::run(spec, all);
  if (all.rank() != 0 || all.size() == 1) return;
  EXPECT_NE(record.ranks.front().role.find("expanded channels"), std::string::npos) << record.ranks.front().role;
}

TEST(SharedLayersRecord, RanksSayWhatTheyHad) {
  const parallel::Communicator all = world();
  JobSpec spec = shared("vit_tiny_patch16_224", Strategy::tensor);
  spec.ranks = all.size();
  const results::JobRecord record = example::run(spec, all);
  if (all.rank() != 0 || all.size() == 1) return;
  // Who has how many follows from what the ranks' speeds were measured to be: a slow one may have none, the first too.
  int first_head = 0, without = 0;
  for (const results::RankRow& row : record.ranks) {
    first_head += row.role.find("heads 0 to") != std::string::npos ? 1 : 0;
    without += row.role.find("no heads") != std::string::npos ? 1 : 0;
    EXPECT_GT(row.bytes_sent, 0);
  }
  EXPECT_EQ(first_head, 1);
  EXPECT_GE(without, all.size() - 6) << "6 heads";
}

TEST(SharedLayersErrors, TheEagerGraphAndTooManyRanksAreRefusedWithTheReason) {
  JobSpec spec = shared("vit_tiny_patch16_224", Strategy::tensor);
  spec.ranks = 2;
  spec.graph = GraphMode::eager;
  EXPECT_FALSE(unsupported(spec).empty());
  const parallel::Communicator all = world();
  JobSpec few = shared("vit_tiny_patch16_224", Strategy::sequence);
  few.model.img_size = 8;
  few.model.patch_size = 8;  // one patch and the class token
  few.ranks = all.size();
  if (all.size() < 3) return;
  try {
    example::run(few, all);
    ADD_FAILURE() << "it ran";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a rank would have no token"), std::string::npos) << error.what();
  }
}

// What only one rank finds out, at any moment before the first sample, is everybody's error, and everybody is in step for the next job.
TEST(HybridErrors, OfOneRankAreEverybodysAndLeaveNobodyBehind) {
  const parallel::Communicator all = world();
  if (all.size() < 4 || all.size() % 2 != 0) GTEST_SKIP() << "hybrids of two stages take 4, 6 or 8 ranks";
  JobSpec good = small_inference("vit_tiny_patch16_224");
  good.ranks = all.size();
  good.parallel.pipeline = 2;
  good.parallel.tensor = all.size() / 2;
  good.parallel.partition = {2, 3};
  const std::vector<std::pair<const char*, std::function<void(JobSpec&)>>> faults = {
      {"its weights are not there", [](JobSpec& spec) { spec.model.weights.path = "/nowhere/at/all.safetensors"; }},
      {"its part can't be made", [](JobSpec& spec) { spec.parallel.partition = {1, 1}; }},
  };
  for (const auto& [what, spoil] : faults) {
    for (const int victim : {0, 1, all.size() - 1}) {
      JobSpec spec = good;
      if (all.rank() == victim) spoil(spec);
      try {
        example::run(spec, all);
        ADD_FAILURE() << what << ", and rank " << all.rank() << " ran";
      } catch (const Error& error) {
        const bool names_it = std::string(error.what()).find("rank " + std::to_string(victim) + ": ") != std::string::npos;
        EXPECT_EQ(names_it, all.rank() != victim) << error.what();
      }
      expect_as_on_one_rank(good, all);
    }
  }
}

// The data set is rank 0's alone.
TEST(HybridErrors, OfADataSetThatCantBeReadAreEverybodys) {
  const parallel::Communicator all = world();
  JobSpec spec = small_inference("vit_tiny_patch16_224");
  spec.ranks = all.size();
  spec.parallel.strategy = Strategy::pipeline;
  spec.data.dataset = "images";
  spec.data.path = "/nowhere/at/all";
  EXPECT_THROW(example::run(spec, all), Error);
  all.barrier();
}

TEST(HybridErrors, ACancelledHybridEndsOnEveryRank) {
  const parallel::Communicator all = world();
  if (all.size() == 1) return;
  JobSpec spec = small_inference("vit_tiny_patch16_224");
  spec.parallel.pipeline = all.size() % 2 == 0 ? 2 : 1;
  spec.parallel.sequence = all.size() / spec.parallel.pipeline;
  example::expect_cancelled(spec, all);
}

class Hybrid : public testing::TestWithParam<const char*> {};

TEST_P(Hybrid, AnswersAsOneRankDoesInEveryProduct) {
  const parallel::Communicator all = world();
  for (int stages = 1; stages <= all.size(); ++stages) {
    if (all.size() % stages != 0) continue;
    JobSpec spec = small_inference(GetParam());
    spec.parallel.pipeline = stages;
    spec.parallel.tensor = all.size() / stages;
    expect_as_on_one_rank(spec, all);
    std::swap(spec.parallel.tensor, spec.parallel.sequence);
    spec.batch = 3;
    spec.parallel.microbatch = 2;
    expect_as_on_one_rank(spec, all);
    if (spec.model.arch != "mobilenet_v2" && stages == 2) {
      spec.parallel.partition = {1, 4};
      expect_as_on_one_rank(spec, all);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Hybrid, testing::ValuesIn(example::kArchs));

}  // namespace
}  // namespace edgelab::tasks
