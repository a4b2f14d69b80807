// The whole way from the files of CIFAR-10 to logits, against PyTorch: golden/mobilenet_v2_real512.safetensors holds what
// torchvision's resize and mobilenet_v2 made of the same images and weights (tests/models/golden/real_logits.py).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "graph/passes/passes.hpp"
#include "models/model_file.hpp"
#include "models/safetensors/safetensors.hpp"
#include "models/weights.hpp"
#include "support/random_tensor.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/scores.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

std::optional<std::filesystem::path> trained_weights() {
  const char* models = std::getenv("EDGELAB_MODELS");
  if (models == nullptr || std::getenv("EDGELAB_DATA") == nullptr) return std::nullopt;
  return std::filesystem::path(models) / "mobilenet_v2_cifar10_224.safetensors";
}

JobSpec evaluation() {
  JobSpec spec;
  spec.id = "accuracy";
  spec.task = Task::evaluate;
  spec.batch = 8;
  spec.data.dataset = "cifar10";
  spec.model.arch = "mobilenet_v2";
  return spec;
}

results::JobRecord run(const JobSpec& spec, std::map<std::string, std::vector<std::uint8_t>> weights = {}) {
  test::need_mpi();
  const parallel::Communicator self = parallel::Communicator::self();
  TaskContext context{self, 2, {}, {}, true, {}, std::move(weights), {}};
  return run_task(spec, context);
}

Tensor pytorchs_logits() {
  const auto golden = models::Safetensors::open(std::filesystem::path(EDGELAB_SOURCE_DIR) / "tests/tasks/golden/mobilenet_v2_real512.safetensors");
  return golden.find("logits")->to_f32();
}

TEST(RealMobileNet, EveryPredictionAndLogitOf512ImagesEqualsPyTorchs) {
  const auto weights = trained_weights();
  if (!weights) GTEST_SKIP() << "EDGELAB_DATA and EDGELAB_MODELS are not set";
  JobSpec spec = evaluation();
  spec.model.weights.path = weights->string();
  const results::JobRecord record = run(spec);

  const Tensor expected = pytorchs_logits();
  Tensor logits(DType::f32, expected.shape());
  ASSERT_EQ(record.logits.size(), logits.as<float>().size());
  std::ranges::copy(record.logits, logits.as<float>().begin());
  EXPECT_LE(test::relative_difference(logits, expected), 1e-3);
  for (std::size_t i = 0; i < record.predictions.size(); ++i) {
    EXPECT_EQ(record.predictions[i], predicted_class(expected.as<float>().subspan(i * 10, 10))) << "image " << i;
  }
  EXPECT_DOUBLE_EQ(*record.summary.top1, 484.0 / 512.0);
  RecordProperty("largest_difference_over_standard_deviation", std::to_string(test::relative_difference(logits, expected)));
}

// The weights came out of training for integers elsewhere; its grids lie beside them, of u8 less 128 and with one scale a weight.
TEST(RealMobileNet, OnTheGridsItWasTrainedForItsIntegersAnswerAsTheFloatsDo) {
  const auto weights = trained_weights();
  if (!weights) GTEST_SKIP() << "EDGELAB_DATA and EDGELAB_MODELS are not set";
  graph::Quantization grids;
  std::ifstream file(std::filesystem::path(*weights).replace_extension(".qparams.json"));
  const nlohmann::json given = nlohmann::json::parse(file);
  for (const auto& [layer, grid] : given.items()) {
    grids.layers[layer] = {.input = {grid.at("input_scale").get<float>(), grid.at("input_zero_point").get<int>() + 128},
                           .weight_scale = {grid.at("weight_scale").get<float>()}};
  }
  ASSERT_EQ(grids.layers.size(), 52U);
  models::ModelOptions options;
  options.arch = "mobilenet_v2";
  options.classes = 10;
  graph::Graph model = models::build(options, 1);
  models::bind(model, models::Safetensors::open(*weights));
  model = graph::fold_weights(model);
  // Off its grid by more than folding's rounding: read wrongly.
  for (const graph::ValueId id : model.weights()) {
    const graph::Value& weight = model.value(id);
    const auto layer = grids.layers.find(weight.name.substr(0, weight.name.rfind('.')));
    if (layer == grids.layers.end() || !weight.name.ends_with(".weight")) continue;
    for (const float number : weight.data.as<float>()) {
      const float on_grid = number / layer->second.weight_scale.front();
      ASSERT_NEAR(on_grid, std::nearbyint(on_grid), 1e-3) << weight.name;
      ASSERT_LE(std::abs(on_grid), 127.01F) << weight.name;
    }
  }

  JobSpec spec = evaluation();
  spec.precision = Precision::int8;
  spec.needs = {"given"};
  spec.model.weights.job = "given";
  const results::JobRecord record = run(spec, {{"given", models::quantized_model_file(model, options, grids)}});
  const Tensor floats = pytorchs_logits();
  int same = 0;
  for (std::size_t i = 0; i < record.predictions.size(); ++i) same += record.predictions[i] == predicted_class(floats.as<float>().subspan(i * 10, 10)) ? 1 : 0;
  EXPECT_GE(same, 500);
  EXPECT_GE(*record.summary.top1, 481.0 / 512.0);
  RecordProperty("same_answers", same);
  RecordProperty("right_of_512", static_cast<int>(std::lround(*record.summary.top1 * 512.0)));
}

}  // namespace
}  // namespace edgelab::tasks
