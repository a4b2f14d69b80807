#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/cancel.hpp"
#include "core/error.hpp"
#include "models/model_file.hpp"
#include "models/model_weights.hpp"
#include "models/random_weights.hpp"
#include "support/temporary_directory.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/quantizing/settings.hpp"
#include "tasks/task.hpp"
#include "tasks/training_job.hpp"

namespace edgelab::tasks {
namespace {

using Weights = std::map<std::string, std::vector<std::uint8_t>>;

struct Outcome {
  results::JobRecord record;
  std::vector<std::uint8_t> file;

  models::ModelWeights weights() const {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
    return models::model_weights(models::Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "weights"));
  }
};

class Quantize : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  static Outcome run(const JobSpec& spec, Weights weights = {}, const std::filesystem::path& folder = {}, std::function<bool()> cancelled = {}) {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, 2, {}, std::move(cancelled), true, folder, std::move(weights), {}};
    Outcome outcome;
    outcome.record = run_task(spec, context);
    outcome.file = std::move(context.made_weights);
    return outcome;
  }

  // Weights that tell images apart, once for all tests. Learning would take longer than all of them.
  static const std::vector<std::uint8_t>& floats_of(const JobSpec& training) {
    static std::map<std::string, std::vector<std::uint8_t>> made;
    auto& file = made[training.model.arch];
    if (file.empty()) {
      const models::ModelOptions options = model_options(training, 10);
      graph::Graph model = models::build(options, 1);
      models::bind_random(model, 11);
      file = models::model_file(model, options);
    }
    return file;
  }

  static JobSpec quantizing(const JobSpec& training) {
    JobSpec spec = training;
    spec.task = Task::quantize;
    spec.quantize.emplace();
    spec.quantize->validate = spec.train->validate;
    spec.train.reset();
    spec.needs = {"floats"};
    spec.model.weights.job = "floats";
    return spec;
  }

  static JobSpec evaluating(const JobSpec& training, Precision precision) {
    JobSpec spec = training;
    spec.task = Task::evaluate;
    spec.data = *training.train->validate;
    spec.train.reset();
    spec.precision = precision;
    spec.needs = {"floats"};
    spec.model.weights.job = "floats";
    return spec;
  }

  // Signal over noise of the logits, dB.
  static double snr(const results::JobRecord& got, const results::JobRecord& want) {
    double signal = 0.0, noise = 0.0;
    for (std::size_t i = 0; i < want.logits.size(); ++i) {
      signal += std::pow(static_cast<double>(want.logits[i]), 2);
      noise += std::pow(static_cast<double>(got.logits[i] - want.logits[i]), 2);
    }
    return 10.0 * std::log10(signal / noise);
  }
};

TEST_F(Quantize, IntegersAnswerAsTheFloatsDoAndOthersUseTheFile) {
  for (const JobSpec& training : {example::small_training(), example::small_convolutional_training()}) {
    const Weights floats = {{"floats", floats_of(training)}};
    const results::JobRecord before = run(evaluating(training, Precision::fp32), floats).record;
    const Outcome made = run(quantizing(training), floats);
    EXPECT_GT(snr(made.record, before), 12.0) << training.model.arch;
    EXPECT_LT(made.file.size(), floats.at("floats").size() / 2);
    EXPECT_EQ(*made.record.summary.model_bytes, static_cast<std::int64_t>(made.file.size()));
    const models::ModelWeights weights = made.weights();
    EXPECT_FALSE(weights.quantization.empty());
    // Whoever reads the file computes the same integers; whoever wants floats has those on the grid.
    const results::JobRecord again = run(evaluating(training, Precision::int8), {{"floats", made.file}}).record;
    EXPECT_EQ(again.logits, made.record.logits);
    JobSpec eager = evaluating(training, Precision::int8);
    eager.graph = GraphMode::eager;
    EXPECT_EQ(run(eager, {{"floats", made.file}}).record.predictions, made.record.predictions);
    EXPECT_GT(snr(run(evaluating(training, Precision::fp32), {{"floats", made.file}}).record, before), 20.0);
    EXPECT_GT(snr(run(evaluating(training, Precision::mixed), {{"floats", made.file}}).record, before), 12.0);
    // At least nine tenths of the work is done in integers.
    std::int64_t all = 0, integers = 0;
    for (const results::LayerRow& row : again.layers) {
      all += row.flop;
      if (row.effective_dtype == "int8") integers += row.flop;
    }
    EXPECT_GE(10 * integers, 9 * all) << training.model.arch;
  }
}

TEST_F(Quantize, EveryKindOfCalibrationAndSchemeGivesAModelThatAnswers) {
  const JobSpec training = example::small_convolutional_training();
  const Weights floats = {{"floats", floats_of(training)}};
  const results::JobRecord before = run(evaluating(training, Precision::fp32), floats).record;
  for (const CalibrationMethod method : {CalibrationMethod::minmax, CalibrationMethod::percentile, CalibrationMethod::mse, CalibrationMethod::kl}) {
    for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
      JobSpec spec = quantizing(training);
      spec.quantize->calibration.method = method;
      spec.quantize->calibration.data = spec.data;
      spec.quantize->calibration.data->limit = 40;
      spec.quantize->scheme = scheme;
      spec.quantize->equalise = spec.quantize->correct_bias = scheme == Scheme::affine;
      EXPECT_GT(snr(run(spec, floats).record, before), method == CalibrationMethod::kl ? 5.0 : 10.0) << static_cast<int>(method) << ", " << static_cast<int>(scheme);
    }
  }
  JobSpec smooth = quantizing(example::small_training());
  smooth.quantize->smooth = 0.5;
  const Weights transformer = {{"floats", floats_of(example::small_training())}};
  EXPECT_GT(snr(run(smooth, transformer).record, run(evaluating(example::small_training(), Precision::fp32), transformer).record), 12.0);
}

TEST_F(Quantize, TrainingForFourBitsBringsBackWhatRoundingLost) {
  for (const JobSpec& training : {example::small_training(), example::small_convolutional_training()}) {
    const Weights floats = {{"floats", floats_of(training)}};
    JobSpec spec = quantizing(training);
    spec.quantize->weights = WeightBits::int4;
    spec.quantize->per_channel = false;
    spec.quantize->validate->limit = 200;
    const double rounded = *run(spec, floats).record.summary.loss;
    spec.quantize->qat = training.train;
    spec.quantize->qat->validate.reset();
    spec.quantize->qat->epochs = 3;
    spec.quantize->qat->optimizer.lr = 5e-4;
    spec.quantize->qat->ema = 0.8;
    spec.data.limit = 960;
    const Outcome made = run(spec, floats);
    EXPECT_LT(*made.record.summary.loss, rounded) << training.model.arch;
    ASSERT_EQ(made.record.training.size(), 3u);
    // What training was told of its last epoch is what the integers say.
    EXPECT_EQ(made.record.training.back().top1, *made.record.summary.top1);
    for (const auto& [name, layer] : made.weights().quantization.layers) {
      if (name == "blocks.0.attn.qkv" || name == "features.2.conv.0.0") {
        EXPECT_EQ(layer.weight_bits, 4);
      }
    }
  }
}

TEST_F(Quantize, ZerosOfAPrunedModelOutliveIntegersAndTheirTraining) {
  const JobSpec training = example::small_training();
  JobSpec prune = training;
  prune.task = Task::prune;
  prune.prune.emplace();
  prune.prune->sparsity = 0.8;
  prune.prune->finetune = training.train;
  prune.prune->finetune->epochs = 1;
  prune.train.reset();
  const Weights pruned = {{"floats", run(prune).file}};
  JobSpec spec = quantizing(training);
  spec.quantize->qat = training.train;
  spec.quantize->qat->validate.reset();
  spec.quantize->qat->epochs = 1;
  const Outcome made = run(spec, pruned);
  EXPECT_NEAR(static_cast<double>(made.record.model.nonzero_parameters), static_cast<double>(run(evaluating(training, Precision::fp32), pruned).record.model.nonzero_parameters),
              0.1 * static_cast<double>(made.record.model.nonzero_parameters));
}

TEST_F(Quantize, TrainingGoesOnFromACheckpointAsIfNeverStopped) {
  const JobSpec training = example::small_training();
  const Weights floats = {{"floats", floats_of(training)}};
  JobSpec spec = quantizing(training);
  spec.quantize->qat = training.train;
  spec.quantize->qat->validate.reset();
  spec.quantize->qat->epochs = 2;
  spec.checkpoint.every_steps = 2;
  const Outcome whole = run(spec, floats);
  const test::TemporaryDirectory folder;
  const auto reached = [&] { return std::filesystem::exists(folder.path() / "qat" / "checkpoints"); };
  int polls = 0;
  EXPECT_THROW(run(spec, floats, folder.path(), [&] { return reached() && ++polls > 8; }), Cancelled);
  ASSERT_TRUE(reached());
  EXPECT_EQ(run(spec, floats, folder.path()).file, whole.file);
}

TEST_F(Quantize, MixedKeepsTheFewestLayersThatTheBudgetAsksFor) {
  const JobSpec training = example::small_convolutional_training();
  const Weights floats = {{"floats", floats_of(training)}};
  JobSpec spec = quantizing(training);
  spec.quantize->mixed.emplace();
  spec.quantize->mixed->accuracy_budget = 100.0;
  const Outcome all = run(spec, floats);
  EXPECT_EQ(all.record.sensitivity.size(), all.weights().quantization.layers.size() + 1);
  EXPECT_EQ(all.record.sensitivity.front().layer, "none");
  // A budget that the integers of all layers don't keep: one scale a tensor and four bits cost more.
  spec.quantize->weights = WeightBits::int4;
  spec.quantize->per_channel = false;
  spec.quantize->mixed->accuracy_budget = 2.0;
  const Outcome some = run(spec, floats);
  const double before = *run(evaluating(training, Precision::fp32), floats).record.summary.top1;
  EXPECT_GE(*some.record.summary.top1, before - 0.02 - 1e-9);
  EXPECT_LE(some.weights().quantization.layers.size(), all.weights().quantization.layers.size());
}

TEST_F(Quantize, RandomWeightsGetGridsForBenchAndFloatsElsewhereAreRefused) {
  JobSpec bench = example::small_convolutional_training();
  bench.task = Task::bench;
  bench.train.reset();
  bench.precision = Precision::int8;
  bench.measure.repeats = 1;
  const results::JobRecord record = run(bench).record;
  EXPECT_NE(record.model.weights.find("made-up images"), std::string::npos);
  EXPECT_TRUE(std::ranges::any_of(record.layers, [](const results::LayerRow& row) { return row.op.starts_with("quantized_inverted_residual"); }));
  JobSpec transformer = example::small_training();
  transformer.task = Task::bench;
  transformer.train.reset();
  transformer.precision = Precision::int8;
  transformer.measure.repeats = 1;
  const auto integer_attentions = [&](Attention attention) {
    transformer.attention = attention;
    const results::JobRecord timed = run(transformer).record;
    return std::ranges::count_if(timed.layers, [](const results::LayerRow& row) { return row.op.starts_with("quantized_attention"); });
  };
  EXPECT_EQ(integer_attentions(Attention::automatic), 2);
  EXPECT_EQ(integer_attentions(Attention::flash), 0);
  bench.needs = {"floats"};
  bench.model.weights.job = "floats";
  try {
    run(bench, {{"floats", floats_of(example::small_convolutional_training())}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("task: quantize"), std::string::npos) << error.what();
  }
}

TEST_F(Quantize, ASearchGoesOnAfterAnInterruptionAndFindsWhatItWouldHave) {
  const JobSpec training = example::small_convolutional_training();
  const Weights floats = {{"floats", floats_of(training)}};
  JobSpec spec = quantizing(training);
  spec.resolved = "a search";
  spec.quantize->search.emplace();
  spec.quantize->search->trials = 6;
  spec.quantize->search->objective = SearchObjective::size;
  const test::TemporaryDirectory folder;
  const Outcome whole = run(spec, floats, folder.path() / "whole");
  ASSERT_EQ(whole.record.trials.size(), 6u);
  // The smallest file of those within a point of the floats.
  const double least = *run(evaluating(training, Precision::fp32), floats).record.summary.top1 - 0.01 - 1e-9;
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
  for (const results::TrialRow& trial : whole.record.trials) {
    if (trial.top1 >= least) smallest = std::min(smallest, trial.bytes);
  }
  if (smallest != std::numeric_limits<std::int64_t>::max()) {
    EXPECT_EQ(static_cast<std::int64_t>(whole.file.size()), smallest);
  }

  int polls = 0;
  const auto log = folder.path() / "part" / "search.log";
  EXPECT_THROW(run(spec, floats, folder.path() / "part", [&] { return std::filesystem::exists(log) && ++polls > 30; }), Cancelled);
  ASSERT_TRUE(std::filesystem::exists(log));
  const Outcome resumed = run(spec, floats, folder.path() / "part");
  EXPECT_EQ(resumed.file, whole.file);
  ASSERT_EQ(resumed.record.trials.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(resumed.record.trials[i].settings, whole.record.trials[i].settings);
}

TEST_F(Quantize, AQuantizedFileCanBeTrainedOnInFloats) {
  const JobSpec training = example::small_convolutional_training();
  const Outcome made = run(quantizing(training), {{"floats", floats_of(training)}});
  JobSpec further = training;
  further.train->epochs = 1;
  further.needs = {"floats"};
  further.model.weights.job = "floats";
  const Outcome trained_on = run(further, {{"floats", made.file}});
  EXPECT_TRUE(trained_on.weights().quantization.empty());
  // The normalisations that were folded away stay so: training goes on from what the model was.
  EXPECT_LT(trained_on.record.training.front().loss, *made.record.summary.loss + 0.1);
}

TEST_F(Quantize, WhatDoesNotGoTogetherIsSaid) {
  const auto first_problem = [](const std::function<void(JobSpec&)>& change) {
    JobSpec spec = quantizing(example::small_training());
    change(spec);
    const auto problems = problems_of_quantizing(spec);
    return problems.empty() ? std::string() : problems.front().what;
  };
  EXPECT_EQ(first_problem([](JobSpec&) {}), "");
  EXPECT_NE(first_problem([](JobSpec& spec) { spec.quantize.reset(); }), "");
  EXPECT_NE(first_problem([](JobSpec& spec) { spec.precision = Precision::bf16; }).find("integers"), std::string::npos);
  EXPECT_NE(first_problem([](JobSpec& spec) { spec.quantize->qat.emplace(), spec.quantize->qat->trainable.what = Trainable::lora; }).find("adapters"), std::string::npos);
  EXPECT_NE(first_problem([](JobSpec& spec) { spec.quantize->qat.emplace(), spec.quantize->qat->validate.emplace(); }).find("validate"), std::string::npos);
}

}  // namespace
}  // namespace edgelab::tasks
