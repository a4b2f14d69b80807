#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/cancel.hpp"
#include "core/error.hpp"
#include "models/reshape.hpp"
#include "models/safetensors/safetensors.hpp"
#include "support/temporary_directory.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/pruning/settings.hpp"
#include "tasks/task.hpp"
#include "tasks/training_job.hpp"

namespace edgelab::tasks {
namespace {

struct Outcome {
  results::JobRecord record;
  std::vector<std::uint8_t> file;

  models::Safetensors weights() const {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
    return models::Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "weights");
  }
};

JobSpec small_pruning(const JobSpec& training, Granularity granularity, double sparsity) {
  JobSpec spec = training;
  spec.task = Task::prune;
  spec.prune.emplace();
  spec.prune->granularity = granularity;
  spec.prune->sparsity = sparsity;
  spec.prune->finetune = spec.train;
  spec.prune->finetune->epochs = 2;
  spec.train.reset();
  return spec;
}

// Of the weights that pruning takes in hand.
double zeros_of(const models::Safetensors& file) {
  double zeros = 0, all = 0;
  for (const models::NamedTensor& item : file.tensors()) {
    const bool judged = item.tensor.shape().rank() == 2 && item.name.find("head") == std::string::npos && item.name.find("classifier") == std::string::npos;
    const bool pointwise = item.tensor.shape().rank() == 4 && item.tensor.shape()[2] == 1 && item.tensor.shape()[1] > 1;
    if (!judged && !pointwise) continue;
    const auto values = item.tensor.as<float>();
    zeros += static_cast<double>(std::count(values.begin(), values.end(), 0.0f));
    all += static_cast<double>(values.size());
  }
  return zeros / all;
}

class Prune : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  static Outcome run(const JobSpec& spec, const std::filesystem::path& folder = {}, std::function<bool()> cancelled = {},
                     std::map<std::string, std::vector<std::uint8_t>> weights = {}) {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, 2, {}, std::move(cancelled), true, folder, std::move(weights), {}};
    Outcome outcome;
    outcome.record = run_task(spec, context);
    outcome.file = std::move(context.made_weights);
    return outcome;
  }
};

TEST_F(Prune, ZerosOutliveFineTuningInEverySchedule) {
  for (const JobSpec& training : {example::small_training(), example::small_convolutional_training()}) {
    for (const PruneSchedule schedule : {PruneSchedule::oneshot, PruneSchedule::gradual, PruneSchedule::iterative}) {
      JobSpec spec = small_pruning(training, Granularity::unstructured, 0.8);
      spec.prune->schedule = schedule;
      spec.prune->rounds = 2;
      spec.prune->finetune->ema = 0.5;
      const Outcome outcome = run(spec);
      EXPECT_NEAR(zeros_of(outcome.weights()), 0.8, 0.005) << spec.model.arch << ", schedule " << static_cast<int>(schedule);
      EXPECT_EQ(outcome.record.training.size(), schedule == PruneSchedule::iterative ? 4u : 2u);
      EXPECT_EQ(outcome.record.training.back().epoch, static_cast<int>(outcome.record.training.size()));
      EXPECT_EQ(outcome.record.training.back().top1, *outcome.record.summary.top1);
      EXPECT_LT(outcome.record.model.nonzero_parameters, outcome.record.model.parameters);
      EXPECT_EQ(*outcome.record.summary.model_bytes, static_cast<std::int64_t>(outcome.file.size()));
    }
  }
}

TEST_F(Prune, EveryGranularityAndCriterionLeavesOutWhatItSays) {
  for (const PruneMethod method : {PruneMethod::magnitude, PruneMethod::taylor, PruneMethod::bn_scale}) {
    for (const Granularity granularity : {Granularity::unstructured, Granularity::block1x4, Granularity::block1x16, Granularity::n_m}) {
      JobSpec spec = small_pruning(example::small_convolutional_training(), granularity, 0.5);
      spec.prune->method = method;
      spec.prune->batches = 2;
      if (granularity == Granularity::n_m) spec.prune->sparsity.reset();
      // Layers narrower than a block of sixteen lose more or less than the share.
      EXPECT_NEAR(zeros_of(run(spec).weights()), 0.5, granularity == Granularity::block1x16 ? 0.15 : 0.03) << static_cast<int>(method) << ", " << static_cast<int>(granularity);
    }
  }
}

TEST_F(Prune, ChannelsMakeTheModelSmallerAndOthersCanUseIt) {
  for (JobSpec spec : {small_pruning(example::small_training(), Granularity::channel, 0.0), small_pruning(example::small_convolutional_training(), Granularity::channel, 0.0)}) {
    spec.prune->sparsity.reset();
    spec.prune->flops = 0.75;
    if (spec.model.arch == "mobilenet_v2") spec.model.width_mult = 0.5;
    spec.prune->schedule = PruneSchedule::iterative;
    spec.prune->rounds = 2;
    spec.prune->finetune->epochs = 1;
    const Outcome outcome = run(spec);
    JobSpec whole = spec;
    whole.task = Task::evaluate;
    whole.prune.reset();
    whole.data = *spec.prune->finetune->validate;
    const std::int64_t flop = run(whole).record.model.flop_per_sample;
    EXPECT_LE(static_cast<double>(outcome.record.model.flop_per_sample), 0.75 * static_cast<double>(flop));
    EXPECT_TRUE(outcome.weights().metadata().contains(models::kPrunedShapes));

    JobSpec user = whole;
    user.needs = {"job"};
    user.model.weights.job = "job";
    EXPECT_EQ(run(user, {}, {}, {{"job", outcome.file}}).record.predictions, outcome.record.predictions);
    user.task = Task::train;
    user.train = spec.prune->finetune;
    user.data = spec.data;
    const Outcome trained = run(user, {}, {}, {{"job", outcome.file}});
    EXPECT_EQ(trained.record.model.flop_per_sample, outcome.record.model.flop_per_sample);
    EXPECT_TRUE(trained.weights().metadata().contains(models::kPrunedShapes));
  }
}

TEST_F(Prune, GoesOnFromACheckpointAsIfNeverStopped) {
  for (const PruneSchedule schedule : {PruneSchedule::gradual, PruneSchedule::iterative}) {
    JobSpec spec = small_pruning(example::small_training(), Granularity::block1x4, 0.7);
    spec.prune->schedule = schedule;
    spec.prune->rounds = 2;
    spec.checkpoint.every_steps = 2;
    const Outcome whole = run(spec);
    const test::TemporaryDirectory folder;
    int polls = 0;
    EXPECT_THROW(run(spec, folder.path(), [&] { return ++polls > 60; }), Cancelled);
    ASSERT_TRUE(std::filesystem::exists(folder.path() / "round-1" / "checkpoints"));
    EXPECT_EQ(run(spec, folder.path()).file, whole.file);
  }
}

TEST_F(Prune, AScanTriesEveryLayerAlone) {
  JobSpec spec = small_pruning(example::small_training(), Granularity::unstructured, 0.5);
  spec.prune->sensitivity = {0.5, 1.0};
  spec.prune->finetune.reset();
  spec.data.limit = 40;
  const std::vector<results::SensitivityRow> rows = run(spec).record.sensitivity;
  ASSERT_EQ(rows.size(), 1u + 2 * 8);  // two blocks of four matrices
  EXPECT_EQ(rows.front().layer, "none");
  EXPECT_EQ(rows[1].layer, "blocks.0.attn.qkv");
  for (std::size_t i = 1; i < rows.size(); i += 2) EXPECT_NE(rows[i + 1].loss, rows.front().loss) << rows[i].layer;
}

TEST_F(Prune, WhatDoesNotGoTogetherIsSaid) {
  const auto first_problem = [](const std::function<void(PruneSpec&)>& change) {
    JobSpec spec = small_pruning(example::small_training(), Granularity::unstructured, 0.5);
    change(*spec.prune);
    const auto problems = problems_of_pruning(spec);
    return problems.empty() ? std::string() : problems.front().what;
  };
  EXPECT_EQ(first_problem([](PruneSpec&) {}), "");
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.sparsity.reset(); }), "");
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.flops = 0.5; }).find("granularity: channel"), std::string::npos);
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.granularity = Granularity::n_m; }).find("n and m"), std::string::npos);
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.granularity = Granularity::channel, prune.schedule = PruneSchedule::gradual; }).find("channels"), std::string::npos);
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.finetune.reset(), prune.schedule = PruneSchedule::iterative; }).find("fine-tune"), std::string::npos);
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.finetune->trainable.what = Trainable::lora; }).find("adapters"), std::string::npos);
  EXPECT_NE(first_problem([](PruneSpec& prune) { prune.schedule = PruneSchedule::gradual, prune.finetune->early_stopping = 2; }).find("early_stopping"), std::string::npos);
}

}  // namespace
}  // namespace edgelab::tasks
