#include <gtest/gtest.h>

#include "tasks/outcome.hpp"
#include "tasks/training_job.hpp"

// Quantization over ranks: calibration and training deal out the images, trials of a search are dealt out themselves.
namespace edgelab::tasks {
namespace {

using example::Outcome;
using example::run;

JobSpec small_quantization() {
  JobSpec spec = example::small_convolutional_training();
  spec.task = Task::quantize;
  spec.quantize.emplace();
  spec.quantize->validate = spec.train->validate;
  spec.quantize->calibration.method = CalibrationMethod::mse;
  spec.quantize->calibration.data = spec.data;
  spec.quantize->calibration.data->limit = 50;
  spec.train.reset();
  return spec;
}

TEST(QuantizeTogether, AllRanksFindTheGridsThatOneDoes) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = small_quantization();
  spec.ranks = world.size();
  const Outcome together = run(spec, world);
  if (world.rank() != 0) return;
  spec.ranks = 1;
  const Outcome alone = run(spec, parallel::Communicator::self());
  EXPECT_EQ(together.weights, alone.weights);
  EXPECT_EQ(together.record.predictions, alone.record.predictions);
}

TEST(QuantizeTogether, TrainingForIntegersIsOneRanks) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = small_quantization();
  spec.quantize->weights = WeightBits::int4;
  spec.quantize->qat.emplace();
  spec.quantize->qat->epochs = 1;
  spec.quantize->qat->batch = 24;
  spec.ranks = world.size();
  const Outcome together = run(spec, world);
  if (world.rank() != 0) return;
  spec.ranks = 1;
  const Outcome alone = run(spec, parallel::Communicator::self());
  ASSERT_EQ(together.record.training.size(), 1u);
  EXPECT_NEAR(together.record.training[0].loss, alone.record.training[0].loss, 2e-3);
}

TEST(QuantizeTogether, TrialsAreDealtOutAndTheBestIsNotWorseThanTheJobsOwn) {
  const parallel::Communicator world = parallel::Communicator::world().duplicate();
  JobSpec spec = small_quantization();
  spec.quantize->search.emplace();
  spec.quantize->search->trials = 5;
  spec.quantize->search->objective = SearchObjective::loss;
  spec.ranks = world.size();
  const Outcome found = run(spec, world);
  if (world.rank() != 0) return;
  ASSERT_EQ(found.record.trials.size(), 5u);
  double least = found.record.trials[0].loss;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(found.record.trials[i].number, static_cast<std::int64_t>(i));
    least = std::min(least, found.record.trials[i].loss);
  }
  EXPECT_EQ(found.record.trials[0].settings, "as the job file says");
  EXPECT_NEAR(*found.record.summary.loss, least, 1e-6);
}

}  // namespace
}  // namespace edgelab::tasks
