#pragma once

#include <gtest/gtest.h>

#include <barrier>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "golden.hpp"
#include "models/weights.hpp"
#include "support/small_model.hpp"
#include "train/trainer.hpp"

// A few steps of a small model, by one trainer or by several that have parts of it, each in a thread.
namespace edgelab::train::testing {

class SumOfThreads {
 public:
  explicit SumOfThreads(std::size_t threads) : values_(threads), barrier_(static_cast<std::ptrdiff_t>(threads)) {}
  double add(std::size_t thread, double value) {
    values_[thread] = value;
    barrier_.arrive_and_wait();
    double sum = 0.0;
    for (const double each : values_) sum += each;
    barrier_.arrive_and_wait();
    return sum;
  }

 private:
  std::vector<double> values_;
  std::barrier<> barrier_;
};

// A small model, and what of it moves.
struct Case {
  models::ModelOptions options;
  std::vector<std::string> (*trainable)(const graph::Graph&) = all_parameters;
  std::optional<double> teacher_temperature = {};
};

inline models::ModelOptions small(const std::string& arch) { return test::small_model(arch, 3); }

inline constexpr std::int64_t kParts = 4, kRows = 2, kSteps = 3;

inline TrainerSettings settings_of(const Case& item) {
  TrainerSettings settings;
  settings.accumulate = kParts;
  settings.optimizer.method = OptimizerSettings::Method::sgd;
  settings.optimizer.clip_norm = 0.5;
  settings.step.form.teacher_temperature = item.teacher_temperature;
  settings.teacher_weight = item.teacher_temperature ? 0.4 : 0.0;
  return settings;
}

struct Learnt {
  std::map<std::string, std::vector<float>> weights;
  std::vector<double> losses, norms;
};

inline void note(Learnt& learnt, const graph::Graph& model) {
  for (const models::NamedTensor& weight : models::named_weights(model)) {
    const auto values = weight.tensor.as<float>();
    learnt.weights[weight.name].assign(values.begin(), values.end());
  }
}

inline graph::Graph drawn(const Case& item) {
  graph::Graph model = models::build(item.options, kRows);
  models::bind_random(model, 7, 1);
  for (const graph::ValueId id : model.weights()) model.bind(id, model.value(id).data.clone());
  return model;
}

struct Samples {
  explicit Samples(const graph::Graph& model) {
    const Shape one = model.type(model.inputs().front()).shape;
    images = Tensor(DType::f32, {kParts * kRows, one[1], one[2], one[3]});
    targets = Tensor(DType::f32, {kParts * kRows, 10});
    teacher = Tensor(DType::f32, targets.shape());
    draw_images(images, 3, "images");
    draw_images(teacher, 4, "teacher");
    set_targets(targets, 1);
    for (float& value : targets.as<float>()) value = value > 0 ? 1.0f : 0.0f;
  }
  Tensor images, targets, teacher;
};

inline void take_steps(Trainer& trainer, Samples& samples, Learnt& learnt) {
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const Trainer::Report report = trainer.step({samples.images.as<float>(), samples.targets.as<float>(), samples.teacher.as<float>(), kParts * kRows}, 0.05);
    learnt.losses.push_back(report.loss);
    learnt.norms.push_back(report.gradient_norm);
  }
}

inline Learnt alone(const Case& item) {
  const graph::Graph model = drawn(item);
  Trainer trainer(model, item.trainable(model), settings_of(item));
  Samples samples(model);
  Learnt learnt;
  take_steps(trainer, samples, learnt);
  note(learnt, model);
  return learnt;
}

inline void expect_the_same(const Case& item, const Learnt& many) {
  const Learnt one = alone(item);
  for (std::size_t step = 0; step < kSteps; ++step) {
    EXPECT_NEAR(many.losses[step], one.losses[step], 1e-5 * one.losses[0]) << item.options.arch << ", step " << step;
    EXPECT_NEAR(many.norms[step], one.norms[step], 1e-4 * one.norms[0]);
  }
  EXPECT_NE(one.losses.back(), one.losses.front());
  ASSERT_EQ(many.weights.size(), one.weights.size());
  for (const auto& [name, values] : one.weights) {
    double apart = 0.0, size = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      apart += std::pow(static_cast<double>(values[i]) - static_cast<double>(many.weights.at(name)[i]), 2);
      size += std::pow(static_cast<double>(values[i]), 2);
    }
    EXPECT_LE(std::sqrt(apart), 1e-5 * std::sqrt(size) + 1e-7) << item.options.arch << ", " << name;
  }
}

}  // namespace edgelab::train::testing
