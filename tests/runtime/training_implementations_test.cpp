// The ops of a training step, whose weights change from run to run, by each of their implementations and by the plain reference.
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "graph/graph.hpp"
#include "kernels/batch_norm_backward/batch_norm_backward.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"
#include "runtime/executable.hpp"
#include "support/random_tensor.hpp"

namespace edgelab {
namespace {

using graph::Graph;
using graph::ValueId;
using test::random_tensor;
using test::relative_difference;

constexpr double kTolerance = 2e-5;  // of the outputs' standard deviation

std::vector<Tensor> run(const kernels::Op& op, const std::vector<Tensor>& inputs, std::vector<std::string> implementations, int threads) {
  Graph graph;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i) ids.push_back(graph.input("x" + std::to_string(i), {DType::f32, inputs[i].shape()}));
  const std::vector<ValueId> results = graph.apply("op", op, ids);
  for (const ValueId id : results) graph.output(id);
  runtime::PlanOptions options;
  options.threads = threads;
  options.implementations = std::move(implementations);
  runtime::Executable executable(runtime::Plan::compile(graph, options));
  for (std::size_t i = 0; i < inputs.size(); ++i) std::ranges::copy(inputs[i].as<float>(), executable.input(i).as<float>().begin());
  std::vector<Tensor> outputs;
  for (int twice = 0; twice < 2; ++twice) executable.run();  // what a run leaves in the scratch must not matter
  for (std::size_t i = 0; i < results.size(); ++i) outputs.push_back(executable.output(i).clone());
  return outputs;
}

void expect_same(const kernels::Op& op, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> want = run(op, inputs, {"reference"}, 1);
  for (const auto& implementations : {std::vector<std::string>{}, {"onednn"}}) {
    for (const int threads : {1, 2}) {
      const std::vector<Tensor> got = run(op, inputs, implementations, threads);
      for (std::size_t i = 0; i < want.size(); ++i) {
        EXPECT_LE(relative_difference(got[i], want[i]), kTolerance)
            << op.name() << " {" << op.text() << "} of " << inputs[0].shape().text() << " and " << inputs[1].shape().text() << ", output " << i
            << ", threads " << threads << (implementations.empty() ? "" : ", by oneDNN");
      }
    }
  }
}

int pick(CounterRandom& random, std::initializer_list<int> choices) { return *(choices.begin() + random.below(choices.size())); }

TEST(TrainingImplementations, ConvolutionsOfEveryKindAndTheirGradientsGiveTheReferencesNumbers) {
  CounterRandom random(21);
  for (int trial = 0; trial < 60; ++trial) {
    const int kind = pick(random, {0, 0, 1, 2});  // of groups: one, as many as channels, two
    const int kernel = pick(random, {1, 1, 3, 3, 5, 4}), stride = pick(random, {1, 2}), padding = pick(random, {0, kernel / 2});
    const int in = kind == 0 ? pick(random, {1, 3, 8, 16, 24, 33}) : pick(random, {8, 16, 24, 34});
    const int groups = kind == 1 ? in : kind == 2 ? 2 : 1;
    const int out = kind == 1 ? in : pick(random, {2, 8, 16, 20, 32});
    const int size = pick(random, {7, 8, 14, 15}), batch = pick(random, {1, 2, 3});
    const std::int64_t extent = (size + 2 * padding - kernel) / stride + 1;
    const bool bias = random.below(2) == 0;
    const auto seed = static_cast<std::uint64_t>(trial) * 10;
    const Tensor x = random_tensor({batch, in, size, size}, seed), w = random_tensor({out, in / groups, kernel, kernel}, seed + 1);
    const Tensor b = random_tensor({out}, seed + 2), dy = random_tensor({batch, out, extent, extent}, seed + 3);
    std::vector<Tensor> inputs = {x, w};
    if (bias) inputs.push_back(b);
    if (dy.elements() > 1) expect_same(kernels::Conv2d{.stride = stride, .padding = padding, .groups = groups, .has_bias = bias}, inputs);
    if (x.elements() > 1) expect_same(kernels::Conv2dBackwardData{stride, padding, groups, size, size}, {dy, w});
    if (w.elements() > 2) expect_same(kernels::Conv2dBackwardWeights{stride, padding, groups, kernel, kernel, bias}, {x, dy});
  }
}

TEST(TrainingImplementations, NormalisationsAndTheirGradientsGiveTheReferencesNumbers) {
  for (const int channels : {2, 16, 24, 300}) {
    const Shape image{2, channels, 6, 5};
    const auto channel = [&](std::uint64_t seed, float scale, float shift) { return random_tensor({channels}, seed, scale, shift); };
    const Tensor x = random_tensor(image, 1), dy = random_tensor(image, 2), weight = channel(3, 0.5f, 1.0f), bias = channel(4, 1.0f, 0.0f);
    expect_same(kernels::BatchNormTraining{1e-5, kernels::ActivationKind::relu6}, {x, weight, bias});
    expect_same(kernels::BatchNormBackward{1e-5, kernels::ActivationKind::relu6}, {x, weight, bias, channel(5, 0.1f, 0.0f), channel(6, 0.05f, 1.0f), dy});
  }
}

}  // namespace
}  // namespace edgelab
