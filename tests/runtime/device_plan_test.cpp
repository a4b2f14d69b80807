// Plans for a CUDA device, on an emulated one: every op by its kernel and by the host's reference, and whole networks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/tokens/tokens.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "runtime/executable.hpp"
#include "support/emulated_device.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::runtime {
namespace {

using graph::Graph;
using graph::ValueId;
using kernels::ActivationKind;
using test::random_tensor;
using test::relative_difference;
using ::testing::HasSubstr;

class DevicePlan : public ::testing::Test {
 protected:
  PlanOptions options(bool tf32 = false) const {
    PlanOptions options;
    options.device = &kernels::cuda::devices().found.front();
    options.tf32 = tf32;
    return options;
  }
  static PlanOptions reference() {
    PlanOptions options;
    options.implementations = {"reference"};
    return options;
  }

  Tensor answer(const Graph& graph, const PlanOptions& options) {
    Executable executable(Plan::compile(graph, options));
    std::uint64_t seed = 0;
    for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
      std::ranges::copy(random_tensor(graph.type(graph.inputs()[i]).shape, ++seed).as<float>(), executable.input(i).as<float>().begin());
    }
    executable.run();
    const Tensor first = executable.output().clone();
    executable.run();  // what was recorded
    EXPECT_EQ(relative_difference(executable.output(), first), 0.0);
    return first;
  }

  void expect_same(const Graph& graph, const std::string& what, double tolerance = 2e-5) {
    EXPECT_LE(relative_difference(answer(graph, options()), answer(graph, reference())), tolerance) << what;
  }

  // One op on an input of this shape; `weights`: shapes of its parameters.
  void expect_op(const kernels::Op& op, const Shape& x, const std::vector<Shape>& weights, const std::vector<Shape>& more_inputs = {}) {
    Graph graph;
    std::vector<ValueId> inputs = {graph.input("x", {DType::f32, x})};
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Tensor drawn = random_tensor(weights[i], 100 + i, 0.3f, 1.0f);  // variances are positive
      inputs.push_back(graph.parameter("w" + std::to_string(i), {DType::f32, weights[i]}, drawn));
    }
    for (const Shape& shape : more_inputs) inputs.push_back(graph.input("more", {DType::f32, shape}));
    graph.output(graph.add("layer", op, inputs));
    expect_same(graph, std::string(op.name()) + " " + op.text() + " on " + x.text());
  }

  test::EmulatedDevice device_;
};

TEST_F(DevicePlan, ConvolutionsOfEveryKindGiveTheReferencesNumbers) {
  using kernels::Conv2d;
  expect_op(Conv2d{1, 0, 1, true, false, ActivationKind::relu6}, {2, 24, 7, 9}, {{40, 24, 1, 1}, {40}});
  expect_op(Conv2d{1, 0, 1, true, true}, {2, 24, 7, 9}, {{40, 24, 1, 1}, {40}}, {{2, 40, 7, 9}});
  for (const int stride : {1, 2}) {
    expect_op(Conv2d{stride, 1, 20, true, false, ActivationKind::relu6}, {2, 20, 9, 8}, {{20, 1, 3, 3}, {20}});
    expect_op(Conv2d{stride, 1, 1, true}, {2, 3, 9, 8}, {{16, 3, 3, 3}, {16}});
    expect_op(Conv2d{stride, 2, 2}, {1, 6, 9, 8}, {{4, 3, 5, 5}});
  }
}

TEST_F(DevicePlan, LinearLayersAndNormalisationsGiveTheReferencesNumbers) {
  expect_op(kernels::Linear{true, false, ActivationKind::gelu}, {2, 5, 33}, {{70, 33}, {70}});
  expect_op(kernels::Linear{true, true}, {3, 20}, {{20, 20}, {20}}, {{3, 20}});
  expect_op(kernels::LayerNorm{}, {2, 5, 33}, {{33}, {33}});
  expect_op(kernels::BatchNorm{1e-5, ActivationKind::relu6}, {2, 6, 3, 5}, {{6}, {6}, {6}, {6}});
  expect_op(kernels::GlobalAveragePool{}, {3, 6, 3, 5}, {});
}

TEST_F(DevicePlan, AttentionOfAllAndOfSomeQueriesGivesTheReferencesNumbers) {
  const kernels::Attention all{.heads = 3, .causal = true};
  expect_op(all, {2, 70, 3 * 3 * 32}, {});
  expect_op(kernels::Attention{.heads = 2}, {2, 17, 3 * 2 * 64}, {});
  expect_op(kernels::AttentionRows{all, 5, 3, all.compute}, {2, 70, 3 * 3 * 32}, {});
}

TEST_F(DevicePlan, ElementsAndTokensGiveTheReferencesNumbers) {
  using kernels::Binary;
  for (const auto kind : {Binary::Kind::add, Binary::Kind::multiply}) {
    expect_op(Binary{kind}, {2, 4, 3, 5}, {}, {{2, 4, 3, 5}});
    expect_op(Binary{kind}, {2, 4, 3, 5}, {{4, 1, 1}});
    expect_op(Binary{kind}, {2, 7, 6}, {{1, 7, 6}});
    expect_op(Binary{kind}, {2, 7, 6}, {{1}});
  }
  expect_op(kernels::Activation{ActivationKind::gelu}, {2, 7}, {});
  expect_op(kernels::ToTokens{}, {2, 4, 3, 5}, {});
  expect_op(kernels::ConcatTokens{}, {3, 2, 6}, {{1, 1, 6}}, {{3, 4, 6}});
  expect_op(kernels::SelectToken{2}, {3, 4, 6}, {});
}

Graph network(const std::string& arch, std::int64_t batch) {
  models::ModelOptions options;
  options.arch = arch;
  options.classes = 10;
  if (arch == "mobilenet_v2") {
    options.input_size = 32;
    options.width_mult = 0.35;
  } else {
    options.img_size = 32;
    options.patch_size = 8;
    options.depth = 2;
    options.embed_dim = 64;
    options.num_heads = 2;
  }
  Graph graph = models::build(options, batch);
  models::bind_random(graph, 5);
  return graph;
}

TEST_F(DevicePlan, WholeNetworksGiveTheReferencesLogits) {
  for (const char* arch : {"mobilenet_v2", "deit_small_patch16_224"}) {
    const Graph written = network(arch, 2);
    const Tensor expected = answer(written, reference());
    EXPECT_LE(relative_difference(answer(written, options()), expected), 1e-4) << arch << ", op by op";
    const Graph fused = graph::optimise(written);
    EXPECT_LE(relative_difference(answer(fused, options()), expected), 1e-4) << arch;
    const double tf32 = relative_difference(answer(fused, options(true)), expected);
    EXPECT_LE(tf32, 0.03) << arch;
    EXPECT_GT(tf32, 1e-5) << arch << ": it did not compute in tf32";
    const Graph bf16 = graph::narrow_values(graph::set_compute(fused, DType::bf16));
    const double narrow = relative_difference(answer(bf16, options()), expected);
    EXPECT_LE(narrow, 0.2) << arch;
    EXPECT_GT(narrow, tf32) << arch << ": it did not compute in bf16";
  }
}

TEST_F(DevicePlan, SaysOfEveryLayerWhatItComputesInAndBecauseOfWhatItIsNotFused) {
  const auto plan = Plan::compile(graph::optimise(network("mobilenet_v2", 1)), options(true));
  std::set<std::string> kinds;
  bool unfused = false;
  for (const Plan::Step& step : plan->steps()) {
    const StepInfo& info = step.info;
    kinds.insert(info.implementation);
    EXPECT_EQ(info.tf32, info.implementation.starts_with("product")) << info.name << ": " << info.implementation;
    unfused = unfused || info.refused.find("there is no kernel for inverted_residual") != std::string::npos;
  }
  EXPECT_TRUE(kinds.contains("depthwise (cuda) fp32"));
  EXPECT_TRUE(kinds.contains("product (cuda) tensor cores, tf32"));
  EXPECT_TRUE(unfused);
}

TEST_F(DevicePlan, RefusesALayerThatNoKernelOfTheDeviceComputes) {
  Graph graph;
  graph.output(graph.add("layer", kernels::Attention{.heads = 1}, {graph.input("x", {DType::f32, {1, 4, 3 * 20}})}));
  try {
    Plan::compile(graph, options());
    FAIL() << "there is no kernel for heads of 20";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("heads of 32 or 64 alone, not 20"));
  }
  Graph tokens;
  tokens.output(tokens.add("layer", kernels::SliceTokens{0, 1}, {tokens.input("x", {DType::f32, {1, 4, 8}})}));
  EXPECT_THROW(Plan::compile(tokens, options()), Error);
}

TEST_F(DevicePlan, TimesEveryStep) {
  Executable executable(Plan::compile(graph::optimise(network("mobilenet_v2", 1)), options()));
  for (const std::int64_t time : profile(executable, 1)) EXPECT_GT(time, 0);
}

TEST_F(DevicePlan, IsStoppedBeforeACall) {
  Executable executable(Plan::compile(network("mobilenet_v2", 1), options()));
  executable.stop_when([] { return true; });
  const int before = device_.backend.launches;
  EXPECT_THROW(executable.run(), Cancelled);
  EXPECT_EQ(device_.backend.launches, before);
}

TEST(NoDevice, IsAnErrorOfTheEnvironmentThatSaysWhy) {
  if (!kernels::cuda::devices().found.empty()) GTEST_SKIP() << "this machine has a CUDA device";
  try {
    kernels::cuda::backend();
    FAIL() << "a backend without a device";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_THAT(error.what(), HasSubstr("no CUDA device: " + kernels::cuda::devices().none));
  }
}

}  // namespace
}  // namespace edgelab::runtime
