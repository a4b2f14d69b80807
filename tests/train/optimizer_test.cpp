#include "train/optimizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "support/expect_error.hpp"
#include "train/golden/optimizer_golden.hpp"

namespace edgelab::train {
namespace {

using Method = OptimizerSettings::Method;
using edgelab::test::message_of;
using testing::HasSubstr;

// Parameters with their memory, and gradients to match.
struct Problem {
  std::vector<std::string> names;
  std::vector<Shape> shapes;
  std::vector<std::vector<float>> values, gradients;

  void add(std::string name, Shape shape) {
    names.push_back(std::move(name));
    shapes.push_back(shape);
    values.emplace_back(static_cast<std::size_t>(shape.elements()), 0.0f);
    gradients.push_back(values.back());
  }
  std::vector<Parameter> parameters() {
    std::vector<Parameter> all;
    for (std::size_t i = 0; i < names.size(); ++i) all.push_back({names[i], shapes[i], values[i]});
    return all;
  }
  std::vector<std::span<const float>> spans() const { return {gradients.begin(), gradients.end()}; }
};

// These formulas are those of golden/make_optimizer_golden.py.
Problem golden_problem() {
  Problem problem;
  problem.add("blocks.0.weight", {3, 5});
  problem.add("blocks.0.bias", {7});
  problem.add("pos_embed", {1, 2, 4});
  for (std::size_t p = 0; p < 3; ++p) {
    for (std::size_t i = 0; i < problem.values[p].size(); ++i)
      problem.values[p][i] = (static_cast<float>((i * 5 + p) % 13) - 6.0f) / 8.0f;
  }
  return problem;
}

void make_gradients(Problem& problem, std::size_t step) {
  for (std::size_t p = 0; p < problem.values.size(); ++p) {
    for (std::size_t i = 0; i < problem.values[p].size(); ++i) {
      problem.gradients[p][i] = problem.values[p][i] * (static_cast<float>(i % 5 + 1) / 4.0f) +
                                (static_cast<float>((i * 7 + step * 13) % 17) - 8.0f) / 8.0f;
    }
  }
}

double rate(std::size_t step) { return 0.05 * (1.0 - static_cast<double>(step) / 40.0); }

// Steps [from, to).
void train(Optimizer& optimizer, Problem& problem, std::size_t from, std::size_t to) {
  for (std::size_t step = from; step < to; ++step) {
    make_gradients(problem, step);
    EXPECT_TRUE(optimizer.step(problem.spans(), rate(step)).applied);
  }
}

Problem random_problem(std::uint64_t seed) {
  Problem problem;
  problem.add("a.weight", {37, 1000});
  problem.add("a.bias", {37});
  problem.add("b.weight", {3, 16384});
  problem.add("c.weight", {1, 1});
  CounterRandom random(seed);
  for (std::size_t p = 0; p < problem.values.size(); ++p) {
    for (float& value : problem.values[p]) value = random.normal();
    for (float& value : problem.gradients[p]) value = random.normal();
  }
  return problem;
}

std::vector<OptimizerSettings> all_methods() {
  std::vector<OptimizerSettings> all;
  for (const golden::OptimizerCase& each : golden::optimizer_cases()) all.push_back(each.settings);
  return all;
}

TEST(Optimizer, TakesTheStepsOfTorch) {
  for (std::size_t number = 0; number < golden::optimizer_cases().size(); ++number) {
    SCOPED_TRACE(testing::Message() << "case " << number);
    const golden::OptimizerCase& golden = golden::optimizer_cases()[number];
    Problem problem = golden_problem();
    ThreadTeam team(2);
    Optimizer optimizer(golden.settings, problem.parameters(), team);
    train(optimizer, problem, 0, 20);
    EXPECT_EQ(optimizer.steps(), 20);
    std::size_t at = 0;
    for (const auto& values : problem.values) {
      for (const float value : values) EXPECT_NEAR(value, golden.values.at(at++), 1e-6);
    }
    EXPECT_EQ(at, golden.values.size());
  }
}

TEST(Optimizer, GivesTheSameBitsForAnyNumberOfThreads) {
  for (OptimizerSettings settings : all_methods()) {
    settings.clip_norm = 3.0;
    std::vector<Problem> results;
    for (const int threads : {1, 2, 3, 5}) {
      Problem problem = random_problem(4);
      ThreadTeam team(threads);
      Optimizer optimizer(settings, problem.parameters(), team);
      for (int step = 0; step < 3; ++step) optimizer.step(problem.spans(), 0.1);
      results.push_back(std::move(problem));
    }
    for (const Problem& result : results) EXPECT_TRUE(result.values == results[0].values);
    EXPECT_FALSE(results[0].values == random_problem(4).values);
  }
}

TEST(Optimizer, ReportsTheNormOverAllParameters) {
  Problem problem = random_problem(5);
  double squares = 0.0;
  for (const auto& gradient : problem.gradients) {
    for (const float value : gradient) squares += static_cast<double>(value) * static_cast<double>(value);
  }
  ThreadTeam team(2);
  Optimizer optimizer({.method = Method::sgd, .momentum = 0.0}, problem.parameters(), team);
  EXPECT_NEAR(optimizer.step(problem.spans(), 0.1).gradient_norm / std::sqrt(squares), 1.0, 1e-12);
  EXPECT_NEAR(optimizer.step(problem.spans(), 0.1, 0.25).gradient_norm / std::sqrt(squares), 0.25, 1e-12);
}

TEST(Optimizer, ClipsToTheNormAndNeverScalesUp) {
  for (const double clip : {0.5, 1e9}) {
    Problem problem = random_problem(6);
    const Problem before = problem;
    ThreadTeam team(2);
    Optimizer optimizer({.method = Method::sgd, .momentum = 0.0, .clip_norm = clip}, problem.parameters(), team);
    const double norm = optimizer.step(problem.spans(), 1.0).gradient_norm;
    double squares = 0.0;
    for (std::size_t p = 0; p < before.values.size(); ++p) {
      for (std::size_t i = 0; i < before.values[p].size(); ++i) {
        const double change = static_cast<double>(before.values[p][i]) - static_cast<double>(problem.values[p][i]);
        squares += change * change;
      }
    }
    EXPECT_NEAR(std::sqrt(squares) / std::min(clip, norm), 1.0, 1e-4);
  }
}

TEST(Optimizer, ScalesGradientsAsIfTheyHadComeSo) {
  for (const OptimizerSettings& settings : all_methods()) {
    Problem scaled = random_problem(7), given = scaled;
    for (auto& gradient : given.gradients) {
      for (float& value : gradient) value *= 0.25f;
    }
    ThreadTeam team(1);
    Optimizer a(settings, scaled.parameters(), team), b(settings, given.parameters(), team);
    for (int step = 0; step < 2; ++step) {
      a.step(scaled.spans(), 0.1, 0.25);
      b.step(given.spans(), 0.1);
    }
    // Clipping's factor differs in its last digit.
    for (std::size_t p = 0; p < given.values.size(); ++p) {
      for (std::size_t i = 0; i < given.values[p].size(); ++i) ASSERT_NEAR(scaled.values[p][i], given.values[p][i], 1e-5);
    }
  }
}

TEST(Optimizer, ChangesNothingByGradientsThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for (const OptimizerSettings& settings : all_methods()) {
      Problem problem = random_problem(8), other = problem;
      ThreadTeam team(2);
      Optimizer optimizer(settings, problem.parameters(), team), reference(settings, other.parameters(), team);
      optimizer.step(problem.spans(), 0.1);
      reference.step(other.spans(), 0.1);
      const float good = std::exchange(problem.gradients[2][40000], bad);
      const Optimizer::Report report = optimizer.step(problem.spans(), 0.1);
      EXPECT_FALSE(report.applied);
      EXPECT_FALSE(std::isfinite(report.gradient_norm));
      EXPECT_EQ(optimizer.steps(), 1);
      problem.gradients[2][40000] = good;
      optimizer.step(problem.spans(), 0.1);
      reference.step(other.spans(), 0.1);
      EXPECT_TRUE(problem.values == other.values);
    }
  }
}

TEST(Optimizer, GoesOnFromItsStateAsIfItHadNeverStopped) {
  for (const OptimizerSettings& settings : all_methods()) {
    Problem whole = golden_problem(), parts = golden_problem();
    ThreadTeam team(1);
    Optimizer uninterrupted(settings, whole.parameters(), team);
    train(uninterrupted, whole, 0, 20);

    std::vector<models::NamedTensor> state;
    {
      Optimizer first(settings, parts.parameters(), team);
      train(first, parts, 0, 11);
      for (const models::NamedTensor& each : first.state()) state.push_back({each.name, each.tensor.clone()});
      train(first, parts, 11, 13);  // lost
      parts = golden_problem();
      Optimizer again(settings, parts.parameters(), team);
      train(again, parts, 0, 11);
    }
    Optimizer second(settings, parts.parameters(), team);
    second.restore(state);
    EXPECT_EQ(second.steps(), 11);
    train(second, parts, 11, 20);
    EXPECT_TRUE(whole.values == parts.values);
  }
}

TEST(Optimizer, NamesItsStateAsTorchDoes) {
  Problem problem = golden_problem();
  ThreadTeam team(1);
  const auto names = [&](const OptimizerSettings& settings) {
    const Optimizer optimizer(settings, problem.parameters(), team);
    std::vector<std::string> all;
    std::size_t bytes = 0;
    for (const models::NamedTensor& each : optimizer.state()) {
      all.push_back(each.name);
      if (each.name != "step") bytes += each.tensor.bytes();
    }
    EXPECT_EQ(optimizer.state_bytes(), bytes);
    return all;
  };
  EXPECT_THAT(names({.method = Method::sgd, .momentum = 0.0}), testing::ElementsAre("step"));
  EXPECT_THAT(names({.method = Method::sgd}), testing::ElementsAre("step", "momentum_buffer.blocks.0.weight",
                                                                   "momentum_buffer.blocks.0.bias", "momentum_buffer.pos_embed"));
  EXPECT_EQ(names({.method = Method::adamw}).size(), 7u);
}

TEST(Optimizer, RefusesStateAndGradientsThatDoNotFit) {
  Problem problem = golden_problem();
  ThreadTeam team(1);
  Optimizer optimizer({.method = Method::adamw}, problem.parameters(), team);
  auto state = optimizer.state();
  state.erase(state.begin() + 2);
  EXPECT_THAT(message_of(ErrorKind::data, [&] { optimizer.restore(state); }), HasSubstr("\"exp_avg.blocks.0.bias\" is missing"));
  state = optimizer.state();
  state[1].tensor = Tensor(DType::f32, {5, 3});
  EXPECT_THAT(message_of(ErrorKind::data, [&] { optimizer.restore(state); }), HasSubstr("got fp32 [5, 3], expected fp32 [3, 5]"));
  problem.gradients[1].pop_back();
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { optimizer.step(problem.spans(), 0.1); }), HasSubstr("blocks.0.bias"));
  problem.gradients.pop_back();
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { optimizer.step(problem.spans(), 0.1); }), HasSubstr("got 2, expected 3"));
}

TEST(Decay, IsForWeightsOfProductsAlone) {
  EXPECT_TRUE(decays("blocks.0.attn.qkv.weight", {192, 64}));
  EXPECT_TRUE(decays("features.0.0.weight", {32, 3, 3, 3}));
  EXPECT_TRUE(decays("blocks.0.attn.qkv.lora_A.weight", {8, 64}));
  EXPECT_FALSE(decays("blocks.0.attn.qkv.bias", {192}));
  EXPECT_FALSE(decays("norm.weight", {64}));
  EXPECT_FALSE(decays("blocks.0.ls1.gamma", {64}));
  EXPECT_FALSE(decays("cls_token", {1, 1, 64}));
  EXPECT_FALSE(decays("dist_token", {1, 1, 64}));
  EXPECT_FALSE(decays("pos_embed", {1, 197, 64}));
}

}  // namespace
}  // namespace edgelab::train
