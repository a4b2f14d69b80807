// One model over the ranks, in training: as a pipeline, and tensor parallel.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_directory.hpp"
#include "tasks/trained_together.hpp"

namespace edgelab::tasks {
namespace {

using namespace example;

parallel::Communicator world() { return parallel::Communicator::world().duplicate(); }

JobSpec with_sgd(JobSpec spec, double lr, const parallel::Communicator& all) {
  spec.ranks = all.size();
  spec.train->optimizer.name = Optimizer::sgd;
  spec.train->optimizer.lr = lr;
  spec.train->epochs = 2;
  return spec;
}

JobSpec pipelined(JobSpec spec) {
  spec.parallel.strategy = Strategy::pipeline;
  spec.parallel.microbatch = 4;
  return spec;
}

// The same on one rank. Batch statistics are a micro-batch's.
JobSpec alone(JobSpec spec) {
  spec.train->accumulate = spec.parallel.strategy == Strategy::pipeline && spec.ranks > 1 ? *spec.train->batch / spec.parallel.microbatch : spec.train->accumulate;
  spec.ranks = 1;
  spec.parallel = {};
  return spec;
}

// Of two blocks over up to four ranks: some are left without.
TEST(TrainAPipeline, AVisionTransformerLearnsAsOnOneRank) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(with_sgd(small_training(), 0.05, all));
  spec.train->augment = {"crop", "flip", "mixup"};
  spec.train->clip_norm = 0.5;
  spec.train->ema = 0.9;
  expect_the_same(spec, alone(spec), all);
}

TEST(TrainAPipeline, AConvolutionalNetworkWithItsRunningStatisticsToo) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(with_sgd(small_convolutional_training(), 0.01, all));
  spec.train->drop_last = false;
  spec.data.limit = 60;  // a last batch of 12 beside 12 of padding: micro-batches of nothing but zeros
  spec.train->batch_norm = BatchNormMode::frozen;
  expect_the_same(spec, alone(spec), all);
  spec = pipelined(with_sgd(small_convolutional_training(), 0.01, all));
  spec.parallel.partition.assign(static_cast<std::size_t>(all.size()), 17 / all.size());
  spec.parallel.partition.back() += 17 % all.size();
  spec.train->epochs = 1;
  expect_the_same(spec, alone(spec), all);
}

TEST(TrainAPipeline, AStudentLearnsFromItsTeacher) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(with_sgd(small_training(), 0.05, all));
  spec.train->distill.emplace();
  spec.train->distill->teacher = spec.model;
  spec.train->distill->temperature = 2.0;
  expect_the_same(spec, alone(spec), all);
}

TEST(TrainAPipeline, TheHeadAloneToo) {
  const parallel::Communicator all = world();
  JobSpec spec = pipelined(with_sgd(small_training(), 0.05, all));
  spec.train->trainable.what = Trainable::head;
  expect_the_same(spec, alone(spec), all);
}

TEST(TrainTensorParallel, AVisionTransformerLearnsAsOnOneRank) {
  const parallel::Communicator all = world();
  JobSpec spec = with_sgd(small_training(), 0.05, all);
  spec.model.num_heads = 6;
  spec.parallel.strategy = Strategy::tensor;
  spec.train->augment = {"crop", "flip", "mixup"};
  spec.train->accumulate = 2;
  spec.train->clip_norm = 0.5;
  spec.train->ema = 0.9;
  expect_the_same(spec, alone(spec), all);
}

// The file is as one rank would have made it, whoever holds which part.
class SplitCheckpoints : public testing::TestWithParam<Strategy> {};

TEST_P(SplitCheckpoints, HoldTheWholeModelAndAreGoneOnFrom) {
  const parallel::Communicator all = world();
  JobSpec spec = small_training();
  spec.model.num_heads = 6;
  spec.ranks = all.size();
  spec.parallel.strategy = GetParam();
  spec.parallel.microbatch = 8;
  spec.train->ema = 0.9;
  spec.train->epochs = 4;
  const Outcome whole = run(spec, all);
  const test::TemporaryDirectory folder;
  const auto attempt = [&](std::int64_t stop_at) {  // cancelled in that step's report; 0: never
    std::int64_t steps = 0;
    TaskContext context{all, 1, {}, {}, true, folder.path(), {}, {}};
    context.cancelled = [&] { return stop_at > 0 && steps >= stop_at; };
    context.progress = [&](const ProgressReport& report) { steps += report.loss ? 1 : 0; };
    Outcome outcome;
    try {
      outcome.record = run_task(spec, context);
      outcome.weights = std::move(context.made_weights);
    } catch (const Cancelled&) {
    }
    return outcome;
  };
  spec.checkpoint.every_steps = 5;
  attempt(13);  // of 32
  if (all.rank() == 0) {
    EXPECT_FALSE(std::filesystem::is_empty(folder.path() / "checkpoints"));
  }
  const Outcome resumed = attempt(0);
  if (all.rank() != 0) return;
  ASSERT_EQ(resumed.record.training.size(), whole.record.training.size());
  for (std::size_t i = 0; i < whole.record.training.size(); ++i) EXPECT_NEAR(resumed.record.training[i].loss, whole.record.training[i].loss, 1e-5) << "epoch " << i;
  EXPECT_LT(distance(resumed, whole), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Strategies, SplitCheckpoints, testing::Values(Strategy::pipeline, Strategy::tensor));

// Two copies of two ranks each, whose gradients are added up part by part.
TEST(TrainInCopies, OfPipelinesAndSharesLearnsAsOnOneRank) {
  const parallel::Communicator all = world();
  if (all.size() != 4) GTEST_SKIP() << "two copies of two ranks are four";
  for (const bool pipeline : {true, false}) {
    JobSpec spec = with_sgd(small_training(), 0.05, all);
    spec.train->augment = {"crop", "flip", "mixup"};
    spec.train->clip_norm = 0.5;
    spec.train->ema = 0.9;
    spec.parallel.data = 2;
    (pipeline ? spec.parallel.pipeline : spec.parallel.tensor) = 2;
    spec.parallel.microbatch = 4;
    expect_the_same(spec, alone(spec), all);
  }
}

TEST(TrainInCopies, OfAConvolutionalPipelineLearnsAsOnOneRank) {
  const parallel::Communicator all = world();
  if (all.size() != 4) GTEST_SKIP() << "two copies of two ranks are four";
  JobSpec spec = with_sgd(small_convolutional_training(), 0.01, all);
  spec.parallel.data = spec.parallel.pipeline = 2;
  spec.parallel.microbatch = 4;
  spec.train->drop_last = false;
  spec.data.limit = 60;
  spec.train->batch_norm = BatchNormMode::frozen;
  expect_the_same(spec, alone(spec), all);
}

TEST(TrainInParts, SaysWhatEachRankHas) {
  const parallel::Communicator all = world();
  if (all.size() == 1) GTEST_SKIP() << "nothing is split";
  JobSpec spec = pipelined(with_sgd(small_training(), 0.05, all));
  spec.train->epochs = 1;
  const Outcome pipeline = run(spec, all);
  spec.model.num_heads = 6;
  spec.parallel.strategy = Strategy::tensor;
  const Outcome tensor = run(spec, all);
  if (all.rank() != 0) return;
  for (std::size_t r = 0; r < pipeline.record.ranks.size(); ++r) {
    EXPECT_TRUE(pipeline.record.ranks[r].role.starts_with("stage " + std::to_string(r + 1) + " of ")) << pipeline.record.ranks[r].role;
    EXPECT_NE(tensor.record.ranks[r].role.find("heads"), std::string::npos) << tensor.record.ranks[r].role;
    EXPECT_GT(pipeline.record.ranks[r].bytes_sent, 0);
    EXPECT_GT(tensor.record.ranks[r].bytes_sent, 0);
  }
  EXPECT_FALSE(pipeline.record.layers.empty());
  EXPECT_FALSE(tensor.record.layers.empty());
}

TEST(TrainInParts, RefusesWhatItCantDo) {
  JobSpec spec = small_training();
  spec.ranks = 2;
  spec.parallel.strategy = Strategy::pipeline;
  spec.parallel.microbatch = 8;
  EXPECT_TRUE(unsupported(spec).empty());
  const auto refused = [&](const auto& change) {
    JobSpec changed = spec;
    change(changed);
    return !unsupported(changed).empty();
  };
  EXPECT_TRUE(refused([](JobSpec& job) { job.parallel.microbatch = 7; }));
  EXPECT_TRUE(refused([](JobSpec& job) { job.parallel.wire = Wire::int8; }));
  EXPECT_TRUE(refused([](JobSpec& job) { job.parallel.strategy = Strategy::sequence; }));
  EXPECT_TRUE(refused([](JobSpec& job) { job.train->accumulate = 2; }));
  EXPECT_TRUE(refused([](JobSpec& job) { job.ranks = 4, job.parallel = {}, job.parallel.pipeline = 2, job.parallel.tensor = 2; }));
  EXPECT_FALSE(refused([](JobSpec& job) { job.ranks = 4, job.parallel.strategy = Strategy::none, job.parallel.pipeline = 2, job.parallel.data = 2, job.parallel.microbatch = 4; }));
  EXPECT_TRUE(refused([](JobSpec& job) { job.ranks = 10, job.parallel.strategy = Strategy::none, job.parallel.pipeline = 2, job.parallel.data = 5; }));
  spec.parallel.strategy = Strategy::tensor;
  EXPECT_TRUE(refused([](JobSpec& job) { job.train->trainable.what = Trainable::lora; }));
}

}  // namespace
}  // namespace edgelab::tasks
