// Training steps beside PyTorch's, in golden/steps.json.
#include <gtest/gtest.h>

#include "golden.hpp"
#include "train/trainer.hpp"

namespace edgelab::train {
namespace {

using namespace testing;

OptimizerSettings optimizer_of(const nlohmann::json& json) {
  OptimizerSettings settings;
  settings.method = json["name"] == "sgd" ? OptimizerSettings::Method::sgd : OptimizerSettings::Method::adamw;
  settings.momentum = json.value("momentum", 0.0);
  settings.weight_decay = json["weight_decay"];
  return settings;
}

TEST(Steps, LossesFollowPyTorchs) {
  for (const auto& item : golden("steps.json")) {
    // The whole MobileNetV2 on noise soon crosses a kink of some relu6 on one side here and on the other there, as PyTorch's fp32
    // does beside its fp64: five steps of it are compared.
    const bool many_kinks = item["model"]["arch"] == "mobilenet_v2" && !item["model"].contains("width_mult");
    constexpr double kTolerance = 1e-3;  // of the first loss
    const graph::Graph model = model_of(item);
    TrainerSettings settings;
    settings.step.threads = 2;
    if (!item["training"].get<bool>()) settings.step.form.uses_batch_statistics = [](const std::string&) { return false; };
    settings.optimizer = optimizer_of(item["optimizer"]);
    Trainer trainer(model, all_parameters(model), settings);
    const auto batch = item["batch"].get<std::int64_t>();
    Tensor images(DType::f32, trainer.compiled().images().shape()), targets(DType::f32, trainer.compiled().targets().shape());
    const auto& losses = item["losses"];
    for (std::size_t step = 0; step < (many_kinks ? 5 : losses.size()); ++step) {
      draw_images(images, item["seed"].get<std::uint64_t>(), "images." + std::to_string(step % 4));
      set_targets(targets, static_cast<std::int64_t>(step % 4));
      for (float& value : targets.as<float>()) value = value > 0 ? 1.0f : 0.0f;
      const Trainer::Report report = trainer.step({images.as<float>(), targets.as<float>(), {}, batch}, item["optimizer"]["lr"].get<double>());
      ASSERT_TRUE(report.applied);
      ASSERT_NEAR(report.loss, losses[step].get<double>(), kTolerance * losses[0].get<double>())
          << item["model"] << ", " << item["optimizer"]["name"] << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace edgelab::train
