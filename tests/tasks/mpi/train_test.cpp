#include <gtest/gtest.h>

#include <cmath>

#include "models/safetensors/safetensors.hpp"
#include "support/temporary_directory.hpp"
#include "tasks/task.hpp"
#include "tasks/training_job.hpp"

// Data parallel: the same global batches on one rank and on all.
namespace edgelab::tasks {
namespace {

struct Outcome {
  results::JobRecord record;
  std::vector<std::uint8_t> weights;
};

Outcome run(const JobSpec& spec, const parallel::Communicator& communicator, int threads = 1) {
  TaskContext context{communicator, threads, {}, {}, true, {}, {}, {}};
  Outcome outcome;
  outcome.record = run_task(spec, context);
  outcome.weights = std::move(context.made_weights);
  return outcome;
}

models::Safetensors opened(const std::vector<std::uint8_t>& file) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
  return models::Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "weights");
}

// The furthest that a weight lies from the other's, over the norm of how far all have come: sums of other shapes round otherwise.
double distance(const Outcome& a, const Outcome& b) {
  double apart = 0, size = 0;
  const models::Safetensors first = opened(a.weights), second = opened(b.weights);
  for (const models::NamedTensor& tensor : first.tensors()) {
    const auto x = tensor.tensor.as<float>(), y = second.find(tensor.name)->as<float>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      apart += std::pow(static_cast<double>(x[i]) - y[i], 2);
      size += std::pow(static_cast<double>(x[i]), 2);
    }
  }
  return std::sqrt(apart / size);
}

void expect_the_same(JobSpec spec, const parallel::Communicator& world, int threads = 1) {
  const Outcome together = run(spec, world, threads);
  if (world.rank() != 0) return;
  spec.ranks = 1;
  const Outcome alone = run(spec, parallel::Communicator::self());
  ASSERT_EQ(together.record.training.size(), alone.record.training.size());
  for (std::size_t i = 0; i < alone.record.training.size(); ++i) {
    EXPECT_NEAR(together.record.training[i].loss, alone.record.training[i].loss, 1e-4) << "epoch " << i;
  }
  EXPECT_LT(distance(together, alone), 1e-4);
}

TEST(TrainTogether, AVisionTransformerLearnsAsOnOneRank) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = example::small_training();
  spec.ranks = world.size();
  spec.train->optimizer.name = Optimizer::sgd;
  spec.train->optimizer.lr = 0.05;
  spec.train->batch = 26;  // shares of 7, 7, 6 and 6 on four ranks
  spec.train->augment = {"crop", "flip", "mixup"};
  expect_the_same(spec, world);
}

// They take shares by their speed then, whatever that is.
TEST(TrainTogether, RanksWithUnequalThreadsLearnAsOneToo) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = example::small_training();
  spec.ranks = world.size();
  spec.train->optimizer.name = Optimizer::sgd;
  spec.train->optimizer.lr = 0.05;
  spec.train->epochs = 2;
  expect_the_same(spec, world, 1 + world.rank() % 2);
}

TEST(TrainTogether, InPartsToo) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = example::small_training();
  spec.ranks = world.size();
  spec.train->optimizer.name = Optimizer::sgd;
  spec.train->optimizer.lr = 0.05;
  spec.train->accumulate = 2;
  spec.train->epochs = 2;
  expect_the_same(spec, world);
}

// Batch statistics are each rank's own, as PyTorch's DistributedDataParallel has them: with frozen ones all is the same.
TEST(TrainTogether, AConvolutionalNetworkWithFrozenNormsToo) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = example::small_convolutional_training();
  spec.ranks = world.size();
  spec.train->batch_norm = BatchNormMode::frozen;
  spec.train->optimizer.name = Optimizer::sgd;
  spec.train->optimizer.lr = 0.01;
  spec.train->epochs = 2;
  expect_the_same(spec, world);
}

TEST(TrainTogether, RanksStayAlikeWithNormsThatMove) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = example::small_convolutional_training();
  spec.ranks = world.size();
  spec.train->epochs = 15;
  const Outcome first = run(spec, world), second = run(spec, world);
  EXPECT_EQ(first.weights, second.weights);
  if (world.rank() == 0) {
    EXPECT_LT(first.record.training.back().loss, first.record.training.front().loss);
  }
}

// The leader alone has the checkpoint, and all go on from it.
TEST(TrainTogether, TheLeadersCheckpointIsEverybodys) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = example::small_convolutional_training();
  spec.ranks = world.size();
  spec.train->ema = 0.9;
  const Outcome whole = run(spec, world);
  const test::TemporaryDirectory folder;
  TaskContext first{world, 1, {}, {}, true, folder.path(), {}, {}};
  spec.train->early_stopping = 1000;  // keeps the best, which is then gone back to
  run_task(spec, first);
  TaskContext second{world, 1, {}, {}, true, folder.path(), {}, {}};
  const results::JobRecord again = run_task(spec, second);
  if (world.rank() != 0) return;
  EXPECT_EQ(first.made_weights, second.made_weights) << "nothing was left to do";
  ASSERT_EQ(again.training.size(), whole.record.training.size());
  for (std::size_t i = 0; i < again.training.size(); ++i) EXPECT_EQ(again.training[i].loss, whole.record.training[i].loss);
}

}  // namespace
}  // namespace edgelab::tasks
