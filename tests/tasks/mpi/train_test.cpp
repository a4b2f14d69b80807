#include <gtest/gtest.h>

#include "support/temporary_directory.hpp"
#include "tasks/trained_together.hpp"

// Data parallel: the same global batches on one rank and on all.
namespace edgelab::tasks {
namespace {

using namespace example;

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
