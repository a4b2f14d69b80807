#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/cancel.hpp"
#include "core/error.hpp"
#include "models/safetensors/safetensors.hpp"
#include "support/temporary_directory.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/task.hpp"
#include "tasks/training/searching.hpp"
#include "tasks/training/shares.hpp"
#include "tasks/training_job.hpp"

namespace edgelab::tasks {
namespace {

struct Outcome {
  results::JobRecord record;
  std::vector<std::uint8_t> weights;
};

class Train : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  static Outcome run(const JobSpec& spec, const std::filesystem::path& folder = {}, std::function<bool()> cancelled = {}, int threads = 2,
                     std::map<std::string, std::vector<std::uint8_t>> weights = {}) {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, threads, {}, std::move(cancelled), true, folder, std::move(weights), {}};
    Outcome outcome;
    outcome.record = run_task(spec, context);
    outcome.weights = std::move(context.made_weights);
    return outcome;
  }

  static std::vector<double> losses(const results::JobRecord& record) {
    std::vector<double> list;
    for (const results::TrainingRow& row : record.training) list.push_back(row.loss);
    return list;
  }
};

TEST_F(Train, LearnsAndSaysHow) {
  JobSpec spec = example::small_training();
  spec.train->epochs = 60;
  spec.train->optimizer.lr = 5e-3;
  const Outcome outcome = run(spec);
  const results::JobRecord& record = outcome.record;
  ASSERT_EQ(record.training.size(), 60u);
  EXPECT_NEAR(record.training.front().loss, std::log(10.0), 0.3);
  EXPECT_LT(record.training.back().loss, 0.8 * record.training.front().loss);
  EXPECT_EQ(record.training.back().epoch, 60);
  EXPECT_LT(record.training.back().learning_rate, record.training.front().learning_rate);
  EXPECT_GT(record.training.back().samples_per_second, 0.0);
  EXPECT_EQ(record.training.back().top1, *record.summary.top1);
  EXPECT_EQ(record.predictions.size(), 50u);
  EXPECT_EQ(*record.summary.samples, 50);
  EXPECT_FALSE(record.layers.empty());
  EXPECT_FALSE(outcome.weights.empty());
}

// At one number of threads: sums are split by threads.
TEST_F(Train, TheSameSeedGivesTheSameBitsAndAnotherSeedDoesNot) {
  for (JobSpec spec : {example::small_training(), example::small_convolutional_training()}) {
    spec.train->augment = {"crop", "flip", "randaugment", "mixup", "cutmix"};
    const Outcome first = run(spec), second = run(spec);
    EXPECT_EQ(first.weights, second.weights);
    EXPECT_EQ(losses(first.record), losses(second.record));
    spec.seed = 4;
    EXPECT_NE(first.weights, run(spec).weights);
  }
}

TEST_F(Train, GoesOnFromACheckpointAsIfNeverStopped) {
  for (JobSpec spec : {example::small_training(), example::small_convolutional_training()}) {
    spec.train->ema = 0.9;
    spec.checkpoint.every_steps = 3;
    const Outcome whole = run(spec);
    for (const int polls : {2, 9, 15, 40}) {
      const test::TemporaryDirectory folder;
      int left = polls;
      int attempts = 0;
      Outcome resumed;
      while (true) {
        ASSERT_LT(++attempts, 40);
        try {
          left = polls + attempts;
          resumed = run(spec, folder.path(), [&] { return --left <= 0 && attempts < 4; });
          break;
        } catch (const Cancelled&) {
        }
      }
      EXPECT_EQ(attempts, 4) << "it was not interrupted: the test shows nothing";
      EXPECT_EQ(whole.weights, resumed.weights) << spec.model.arch << " interrupted after " << polls << " polls";
      EXPECT_EQ(losses(whole.record), losses(resumed.record));
    }
  }
}

// A disk that is away for a moment must not cost what was learned.
TEST_F(Train, ACheckpointThatCannotBeReadNowIsThereForTheNextAttempt) {
  namespace fs = std::filesystem;
  JobSpec spec = example::small_training();
  spec.checkpoint.every_steps = 3;
  const test::TemporaryDirectory folder;
  int left = 9;
  EXPECT_THROW(run(spec, folder.path(), [&] { return --left <= 0; }), Cancelled);
  std::vector<fs::path> saved;
  for (const auto& entry : fs::directory_iterator(folder.path() / "checkpoints")) saved.push_back(entry.path());
  ASSERT_FALSE(saved.empty());
  const fs::path away = folder.path() / "away";
  fs::create_directory(away);
  for (const fs::path& path : saved) {
    fs::rename(path, away / path.filename());
    fs::create_symlink(folder.path() / "nowhere", path);
  }
  try {
    run(spec, folder.path());
    FAIL() << "it started afresh";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment) << error.what();
  }
  for (const fs::path& path : saved) fs::rename(away / path.filename(), path);
  EXPECT_EQ(run(spec, folder.path()).weights, run(spec).weights);
}

TEST_F(Train, CheckpointsOfAnotherConfigurationAreGivenUp) {
  JobSpec spec = example::small_training();
  const test::TemporaryDirectory folder;
  spec.resolved = "one";
  run(spec, folder.path());
  spec.resolved = "another";
  spec.train->optimizer.lr *= 2;
  EXPECT_EQ(run(spec, folder.path()).weights, run(spec).weights);
}

TEST_F(Train, WeightsGoToTheNextJob) {
  const JobSpec spec = example::small_training();
  const Outcome made = run(spec);
  JobSpec next = spec;
  next.task = Task::evaluate;
  next.data = *spec.train->validate;
  next.train.reset();
  next.model = {};
  next.model.weights.job = "job";  // the file says what it is of
  const Outcome evaluated = run(next, {}, {}, 2, {{"job", made.weights}});
  EXPECT_EQ(evaluated.record.predictions, made.record.predictions);
  EXPECT_NE(evaluated.record.model.weights.find("of job job"), std::string::npos);
  try {
    next.model = spec.model;
    next.model.weights.job = "job";
    run(next);
    FAIL() << "weights that are not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
}

TEST_F(Train, TheHeadAloneMovesIfAsked) {
  JobSpec spec = example::small_convolutional_training();
  spec.train->epochs = 1;
  const Outcome base = run(spec);
  JobSpec more = spec;
  more.model.weights.job = "job";
  more.train->trainable.what = Trainable::head;
  const Outcome moved = run(more, {}, {}, 2, {{"job", base.weights}});
  const auto open = [](const std::vector<std::uint8_t>& file) {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
    return models::Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "weights");
  };
  const models::Safetensors before = open(base.weights), after = open(moved.weights);
  for (const models::NamedTensor& tensor : before.tensors()) {
    const Tensor* now = after.find(tensor.name);
    ASSERT_NE(now, nullptr) << tensor.name;
    const bool same = std::equal(tensor.tensor.data(), tensor.tensor.data() + tensor.tensor.bytes(), now->data());
    EXPECT_EQ(same, !tensor.name.starts_with("classifier")) << tensor.name;
  }
}

TEST_F(Train, AnAdapterIsMergedAndMatchesWhatWasMeasured) {
  JobSpec spec = example::small_training();
  const Outcome base = run(spec);
  JobSpec adapted = spec;
  adapted.model.weights.job = "job";
  adapted.train->trainable.what = Trainable::lora;
  adapted.train->trainable.lora.rank = 2;
  const test::TemporaryDirectory folder;
  const Outcome moved = run(adapted, folder.path(), {}, 2, {{"job", base.weights}});
  EXPECT_NE(base.weights, moved.weights);
  const models::Safetensors adapters = models::Safetensors::open(folder / "adapters.safetensors");
  EXPECT_EQ(adapters.tensors().size(), 2u * 2u * 2u + 2u) << "two matrices for two layers of two blocks, and the classifier";
  EXPECT_NE(adapters.find("blocks.1.attn.qkv.lora_B.weight"), nullptr);
  EXPECT_EQ(base.record.model.parameters, moved.record.model.parameters);
  JobSpec next = adapted;
  next.task = Task::evaluate;
  next.data = *spec.train->validate;
  next.train.reset();
  next.model.weights.job = "moved";
  EXPECT_EQ(run(next, {}, {}, 2, {{"moved", moved.weights}}).record.predictions, moved.record.predictions);
}

TEST_F(Train, ATeacherIsFollowed) {
  JobSpec teacher = example::small_training();
  teacher.train->epochs = 6;
  const Outcome taught = run(teacher);
  JobSpec student = example::small_training();
  student.seed = 9;
  student.train->epochs = 6;
  student.train->distill.emplace();
  student.train->distill->teacher = teacher.model;
  student.train->distill->teacher.weights.job = "teacher";
  student.train->distill->weight = 1.0;
  student.train->distill->augmentations = 2;
  const Outcome first = run(student, {}, {}, 2, {{"teacher", taught.weights}});
  EXPECT_LT(first.record.training.back().loss, first.record.training.front().loss);
  // The teacher's answers of the second run come from the cache.
  EXPECT_EQ(first.weights, run(student, {}, {}, 2, {{"teacher", taught.weights}}).weights);
}

TEST_F(Train, SmallerPartsOfABatchGiveTheSameStep) {
  JobSpec spec = example::small_training();
  const Outcome whole = run(spec);
  spec.train->accumulate = 3;
  const Outcome parts = run(spec);
  for (std::size_t i = 0; i < whole.record.training.size(); ++i) {
    EXPECT_NEAR(whole.record.training[i].loss, parts.record.training[i].loss, 2e-4) << i;
  }
}

TEST(Shares, FollowTheSpeedsInWholePartsAndNobodyHasNothing) {
  EXPECT_EQ(shares_by_speed(26, 1, {1, 1, 1, 1}), (std::vector<std::int64_t>{7, 7, 6, 6}));
  EXPECT_EQ(shares_by_speed(24, 2, {1, 1, 1, 1}), (std::vector<std::int64_t>{6, 6, 6, 6}));
  EXPECT_EQ(shares_by_speed(20, 2, {100, 1}), (std::vector<std::int64_t>{18, 2}));
  const auto shares = shares_by_speed(62, 1, {3, 1, 2});
  EXPECT_EQ(shares[0] + shares[1] + shares[2], 62);
  EXPECT_GT(shares[0], shares[2]);
  EXPECT_GT(shares[2], shares[1]);
  EXPECT_THROW(shares_by_speed(3, 1, {1, 1, 1, 1}), Error);
  EXPECT_THROW(shares_by_speed(25, 2, {1, 1}), Error);
}

TEST_F(Train, DivergenceIsSaidAtOnce) {
  JobSpec spec = example::small_convolutional_training();
  spec.train->optimizer.name = Optimizer::sgd;
  spec.train->optimizer.lr = 1e30;
  spec.train->schedule.name = LearningRateSchedule::constant;
  try {
    run(spec);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("diverged in epoch"), std::string::npos) << error.what();
  }
}

// The job's learning rate is far too small; the trials train for a third of the epochs, the job itself for all.
TEST_F(Train, ASearchFindsABetterLearningRateAndGoesOnAfterAnInterruption) {
  const test::TemporaryDirectory folder;
  JobSpec spec = example::small_training();
  spec.train->optimizer.lr = 1e-4;
  spec.train->search.emplace();
  spec.train->search->trials = 9;
  spec.train->search->objective = SearchObjective::loss;
  int polls = 0;
  EXPECT_THROW(run(spec, folder.path(), [&] { return ++polls > 40; }), Cancelled);
  const Outcome resumed = run(spec, folder.path());
  const results::JobRecord& record = resumed.record;
  ASSERT_EQ(record.trials.size(), 9u);
  EXPECT_EQ(record.trials[0].settings, "as the job file says");
  EXPECT_EQ(record.training.size(), 3u);
  const auto best = std::min_element(record.trials.begin(), record.trials.end(), [](const auto& a, const auto& b) { return a.loss < b.loss; });
  EXPECT_LT(best->loss, record.trials[0].loss);
  for (const auto& trial : record.trials) EXPECT_EQ(trial.taken, trial.number == best->number);
  spec.train->search.reset();
  EXPECT_LT(*record.summary.loss, *run(spec).record.summary.loss);
  // It has ended: what comes after a kill behind it asks for no more, and is not another search's.
  spec.train->search.emplace();
  spec.train->search->trials = 12;
  spec.train->search->objective = SearchObjective::loss;
  EXPECT_EQ(run(spec, folder.path()).record.trials.size(), 9u);
}

TEST_F(Train, WhatASearchTriesLiesAroundWhatTheJobSays) {
  TrainSpec train;
  train.epochs = 10;
  train.optimizer.lr = 1e-3;
  train.optimizer.weight_decay = 0.5;
  train.schedule.warmup_epochs = 2;
  train.schedule.step_epochs = {5, 10};
  const std::vector<search::Dimension> space = training_space(train);
  ASSERT_EQ(space.size(), 3u);
  EXPECT_DOUBLE_EQ(space[0].low, 1e-4);
  EXPECT_DOUBLE_EQ(space[0].high, 1e-2);
  EXPECT_DOUBLE_EQ(space[1].high, 1.0);
  const TrainSpec tried = with_settings(train, space, {2e-3, 0.1, 2});
  EXPECT_EQ(tried.optimizer.lr, 2e-3);
  EXPECT_EQ(tried.optimizer.weight_decay, 0.1);
  EXPECT_EQ(tried.label_smoothing, 0.1);
  EXPECT_EQ(with_settings(train, space, {}), train);
  const TrainSpec shorter = shortened(train);
  EXPECT_EQ(shorter.epochs, 3);
  EXPECT_DOUBLE_EQ(shorter.schedule.warmup_epochs, 0.6);
  EXPECT_DOUBLE_EQ(shorter.schedule.step_epochs[0], 1.5);
  EXPECT_DOUBLE_EQ(shorter.schedule.step_epochs[1], 3.0);
  train.optimizer.weight_decay = 0.0;
  EXPECT_EQ(training_space(train).size(), 2u);
}

TEST_F(Train, EarlyStoppingKeepsTheBest) {
  const test::TemporaryDirectory folder;
  JobSpec spec = example::small_training();
  spec.train->epochs = 60;
  spec.train->early_stopping = 2;
  const Outcome outcome = run(spec, folder.path());
  double best = 0;
  for (const results::TrainingRow& row : outcome.record.training) best = std::max(best, row.top1);
  EXPECT_LT(outcome.record.training.size(), 60u);
  EXPECT_EQ(*outcome.record.summary.top1, best);
}

}  // namespace
}  // namespace edgelab::tasks
