#include <gtest/gtest.h>

#include <cmath>

#include "tasks/outcome.hpp"
#include "tasks/training_job.hpp"

// Pruning over ranks: fine-tuning deals out the batches, and all keep the same zeros.
namespace edgelab::tasks {
namespace {

using example::Outcome;
using example::opened;
using example::run;

JobSpec small_pruning(Granularity granularity, PruneSchedule schedule) {
  JobSpec spec = example::small_training();
  spec.task = Task::prune;
  spec.prune.emplace();
  spec.prune->granularity = granularity;
  spec.prune->schedule = schedule;
  spec.prune->rounds = 2;
  spec.prune->sparsity = granularity == Granularity::channel ? 0.2 : 0.75;
  spec.prune->finetune = spec.train;
  spec.prune->finetune->epochs = 1;
  spec.train.reset();
  return spec;
}

TEST(PruneTogether, AllRanksPruneAndLearnAsOneDoes) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  for (const auto& [granularity, schedule] : {std::pair{Granularity::unstructured, PruneSchedule::oneshot}, {Granularity::channel, PruneSchedule::iterative}}) {
    JobSpec spec = small_pruning(granularity, schedule);
    spec.ranks = world.size();
    const Outcome together = run(spec, world);
    EXPECT_EQ(together.record.ranks.front().rank, world.rank() == 0 ? 0 : world.rank());
    if (world.rank() != 0) continue;
    spec.ranks = 1;
    const Outcome alone = run(spec, parallel::Communicator::self());
    ASSERT_EQ(together.record.training.size(), alone.record.training.size());
    for (std::size_t i = 0; i < alone.record.training.size(); ++i) EXPECT_NEAR(together.record.training[i].loss, alone.record.training[i].loss, 1e-3);
    const models::Safetensors first = opened(together.weights), second = opened(alone.weights);
    ASSERT_EQ(first.tensors().size(), second.tensors().size());
    for (const models::NamedTensor& item : first.tensors()) {
      const Tensor& other = *second.find(item.name);
      ASSERT_EQ(item.tensor.shape(), other.shape()) << item.name;
      for (std::size_t i = 0; i < item.tensor.as<float>().size(); ++i) {
        EXPECT_EQ(item.tensor.as<float>()[i] == 0.0f, other.as<float>()[i] == 0.0f) << item.name << ", element " << i;
      }
    }
  }
}

TEST(PruneTogether, ZerosThatGrowOnTheWayAreTheSameOnAllRanks) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = small_pruning(Granularity::block1x4, PruneSchedule::gradual);
  spec.ranks = world.size();
  // A rank with zeros of its own would have other gradients, and the result would not be finite for long; its answers are a share.
  const Outcome together = run(spec, world);
  if (world.rank() != 0) return;
  const models::Safetensors file = opened(together.weights);
  double zeros = 0, all = 0;
  for (const models::NamedTensor& item : file.tensors()) {
    if (item.tensor.shape().rank() != 2 || item.name == "head.weight") continue;
    for (const float value : item.tensor.as<float>()) zeros += value == 0.0f ? 1 : 0, all += 1;
  }
  EXPECT_NEAR(zeros / all, 0.75, 0.01);
  EXPECT_EQ(together.record.predictions.size(), 50u);
}

TEST(PruneTogether, AnErrorOfTheFirstRankIsEverybodys) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = small_pruning(Granularity::unstructured, PruneSchedule::oneshot);
  spec.ranks = world.size();
  spec.prune->skip = {"no.such.layer"};
  EXPECT_THROW(run(spec, world), Error);
}

}  // namespace
}  // namespace edgelab::tasks
