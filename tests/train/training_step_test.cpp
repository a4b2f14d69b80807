#include "train/training_step.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "golden.hpp"

namespace edgelab::train {
namespace {

using namespace testing;

// The default settings of one of golden/make_golden.py's models.
TrainingStepSettings settings_of(const nlohmann::json& item, int threads) {
  TrainingStepSettings settings;
  settings.threads = threads;
  if (!item.value("training", true)) settings.form.uses_batch_statistics = [](const std::string&) { return false; };
  return settings;
}

std::vector<std::vector<float>> gradients_of(const nlohmann::json& item, const TrainingStepSettings& settings, double* loss = nullptr,
                                             Recompute* recompute = nullptr) {
  const graph::Graph model = model_of(item);
  TrainingStep step(model, all_parameters(model), settings);
  draw_images(step.images(), item["seed"].get<std::uint64_t>(), "images");
  set_targets(step.targets(), 0);
  step.run();
  std::vector<std::vector<float>> gradients;
  for (std::size_t i = 0; i < step.gradients(); ++i) gradients.emplace_back(step.gradient(i).begin(), step.gradient(i).end());
  if (loss != nullptr) *loss = step.loss();
  if (recompute != nullptr) *recompute = step.recompute();
  return gradients;
}

double norm_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

// PyTorch's in double. A gradient's product with random numbers is as large as its norm, give or take.
TEST(TrainingStep, GradientsArePyTorchs) {
  for (const auto& item : golden("gradients.json")) {
    // With its batch's statistics a deep network is at many kinks: PyTorch's own gradients in fp32 are up to 9e-3 from those in fp64.
    const bool many_kinks = item["training"].get<bool>() && item["model"]["arch"] == "mobilenet_v2";
    const double relative = many_kinks ? 2e-2 : 1e-3;
    for (const int threads : {1, 2}) {
      double loss = 0;
      const auto gradients = gradients_of(item, settings_of(item, threads), &loss);
      const graph::Graph model = model_of(item);
      const std::vector<std::string> names = all_parameters(model);
      ASSERT_EQ(gradients.size(), item["gradients"].size());
      EXPECT_NEAR(loss, item["loss"].get<double>(), 1e-4) << item["model"];
      double all = 0;  // the norm of all together: a gradient that is zero but for rounding is judged by it
      for (const auto& entry : item["gradients"]) all += std::pow(entry[0].get<double>(), 2);
      all = std::sqrt(all);
      for (std::size_t i = 0; i < names.size(); ++i) {
        const double norm = item["gradients"][names[i]][0], product = item["gradients"][names[i]][1];
        const double tolerance = relative * norm + 1e-6 * all;
        ASSERT_NEAR(norm_of(gradients[i]), norm, tolerance) << item["model"] << ", " << names[i];
        CounterRandom random(stream_key(item["seed"].get<std::uint64_t>(), "probe." + names[i]));
        double got = 0;
        for (const float value : gradients[i]) got += static_cast<double>(value) * random.normal();
        ASSERT_NEAR(got, product, 3 * tolerance) << item["model"] << ", " << names[i];
      }
    }
  }
}

void expect_alike(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b, double tolerance, const std::string& what) {
  double all = 0;
  for (const auto& gradient : a) all += std::pow(norm_of(gradient), 2);
  all = std::sqrt(all);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::vector<float> difference(a[i].size());
    for (std::size_t j = 0; j < a[i].size(); ++j) difference[j] = a[i][j] - b[i][j];
    ASSERT_LE(norm_of(difference), tolerance * (norm_of(a[i]) + 1e-3 * all)) << what << ", gradient " << i;
  }
}

TEST(TrainingStep, ComputingAgainSavesMemoryAndChangesNothing) {
  // Networks whose activations are larger than their gradients.
  const auto cases = nlohmann::json::parse(R"([
    {"model": {"arch": "mobilenet_v2", "classes": 7, "input_size": 96, "width_mult": 0.35}, "seed": 1, "batch": 8, "training": true},
    {"model": {"arch": "mobilenet_v2", "classes": 7, "input_size": 96, "width_mult": 0.35}, "seed": 1, "batch": 8, "training": false},
    {"model": {"arch": "deit3_small_patch16_224", "classes": 6, "img_size": 64, "patch_size": 4, "depth": 3, "embed_dim": 24, "num_heads": 3},
     "seed": 1, "batch": 4}])");
  for (const auto& item : cases) {
    TrainingStepSettings settings = settings_of(item, 2);
    Recompute recompute{};
    const auto kept = gradients_of(item, settings, nullptr, &recompute);
    EXPECT_EQ(recompute, Recompute::nothing);

    const graph::Graph model = model_of(item);
    const std::vector<std::string> names = all_parameters(model);
    std::int64_t weights = 0;
    for (const graph::ValueId id : model.weights()) weights += static_cast<std::int64_t>(model.type(id).bytes());
    std::size_t before = TrainingStep(model, names, settings).executable().plan().arena_bytes();
    for (const Recompute wanted : {Recompute::cheap, Recompute::blocks}) {
      settings.memory_limit = weights + static_cast<std::int64_t>(before) - 1;
      const auto again = gradients_of(item, settings, nullptr, &recompute);
      EXPECT_EQ(recompute, wanted) << item["model"];
      expect_alike(kept, again, 1e-4, item["model"].dump());
      before = TrainingStep(model, names, settings).executable().plan().arena_bytes();
    }
    settings.memory_limit = weights + 1000;
    try {
      TrainingStep(model, names, settings);
      FAIL() << "a step in a kilobyte";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
      EXPECT_NE(std::string(error.what()).find("memory_limit"), std::string::npos) << error.what();
    }
  }
}

TEST(TrainingStep, ReadsWeightsAsTheyAreWhenItRuns) {
  const nlohmann::json item = golden("gradients.json")[0];
  const graph::Graph model = model_of(item);
  TrainingStep step(model, all_parameters(model), settings_of(item, 2));
  draw_images(step.images(), 1, "images");
  set_targets(step.targets(), 0);
  step.run();
  const double before = step.loss();
  for (const graph::ValueId id : model.weights()) {
    Tensor data = model.value(id).data;
    if (model.value(id).name == "classifier.1.weight") std::fill_n(data.as<float>().begin(), data.elements(), 0.0f);
    if (model.value(id).name == "classifier.1.bias") std::fill_n(data.as<float>().begin(), data.elements(), 0.0f);
  }
  step.run();
  EXPECT_NE(before, step.loss());
  EXPECT_NEAR(step.loss(), std::log(7.0), 1e-5);  // of seven classes none is likelier
}

TEST(TrainingStep, SaysWhenEachGradientIsReady) {
  const nlohmann::json item = golden("gradients.json")[0];
  const graph::Graph model = model_of(item);
  TrainingStep step(model, all_parameters(model), settings_of(item, 2));
  draw_images(step.images(), 1, "images");
  set_targets(step.targets(), 0);
  step.run();
  std::vector<std::vector<float>> after;
  for (std::size_t i = 0; i < step.gradients(); ++i) after.emplace_back(step.gradient(i).begin(), step.gradient(i).end());
  std::vector<std::size_t> order;
  step.when_gradient_is_ready([&](std::size_t i) {
    order.push_back(i);
    EXPECT_TRUE(std::equal(after[i].begin(), after[i].end(), step.gradient(i).begin())) << i;
  });
  step.run();
  ASSERT_EQ(order.size(), step.gradients());
  EXPECT_GT(order.front(), order.back()) << "the classifier's come first";
}

// Elements in bf16 differ by 2^-9 each: the gradients are near those in fp32, and not the same.
TEST(TrainingStep, Bf16IsNearFp32) {
  for (const auto& item : golden("gradients.json")) {
    TrainingStepSettings settings = settings_of(item, 2);
    const auto fp32 = gradients_of(item, settings);
    settings.compute = DType::bf16;
    const auto bf16 = gradients_of(item, settings);
    EXPECT_NE(fp32, bf16);
    double dot = 0, a = 0, b = 0;
    for (std::size_t i = 0; i < fp32.size(); ++i) {
      for (std::size_t j = 0; j < fp32[i].size(); ++j) {
        dot += static_cast<double>(fp32[i][j]) * bf16[i][j];
        a += static_cast<double>(fp32[i][j]) * fp32[i][j];
        b += static_cast<double>(bf16[i][j]) * bf16[i][j];
      }
    }
    // Fifty layers deep, and more so at the kinks that batch statistics bring, little is left of eight bits.
    const bool deep = item["model"]["arch"] == "mobilenet_v2";
    EXPECT_GT(dot / std::sqrt(a * b), !deep ? 0.98 : item["training"].get<bool>() ? 0.4 : 0.9) << item["model"];
  }
}

}  // namespace
}  // namespace edgelab::train
