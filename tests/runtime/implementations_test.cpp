// Every op, by its fastest implementation and by the plain reference, on random shapes: same numbers.
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "graph/graph.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/tokens/tokens.hpp"
#include "runtime/executable.hpp"
#include "support/random_tensor.hpp"

namespace edgelab {
namespace {

using graph::Graph;
using graph::ValueId;
using kernels::ActivationKind;
using test::random_tensor;
using test::relative_difference;

constexpr double kTolerance = 2e-5;  // of the outputs' standard deviation; sums of a few thousand float products

Tensor run(const Graph& graph, const std::vector<Tensor>& inputs, std::vector<std::string> implementations, int threads) {
  runtime::PlanOptions options;
  options.threads = threads;
  options.implementations = std::move(implementations);
  runtime::Executable executable(runtime::Plan::compile(graph, options));
  for (std::size_t i = 0; i < inputs.size(); ++i) std::ranges::copy(inputs[i].as<float>(), executable.input(i).as<float>().begin());
  executable.run();
  return executable.output().clone();
}

void expect_same(const Graph& graph, const std::vector<Tensor>& inputs, const std::string& what) {
  const Tensor reference = run(graph, inputs, {"reference"}, 1);
  for (const int threads : {1, 2}) {
    EXPECT_LE(relative_difference(run(graph, inputs, {}, threads), reference), kTolerance) << what << ", threads " << threads;
  }
}

int pick(CounterRandom& random, std::initializer_list<int> choices) { return *(choices.begin() + random.below(choices.size())); }

TEST(Implementations, ConvolutionsOfEveryKindGiveTheReferencesNumbers) {
  CounterRandom random(11);
  for (int trial = 0; trial < 60; ++trial) {
    const bool depthwise = random.below(3) == 0;
    const int kernel = pick(random, {1, 1, 3, 5, 4});
    const int in = pick(random, {1, 3, 8, 16, 24, 33});
    const int groups = depthwise ? in : 1;
    const int out = depthwise ? in : pick(random, {1, 8, 16, 20, 32});
    const int size = pick(random, {7, 8, 14, 15});
    kernels::Conv2d conv{pick(random, {1, 2}), pick(random, {0, kernel / 2}), groups, random.below(2) == 0, random.below(3) == 0,
                         static_cast<ActivationKind>(random.below(4))};
    const int batch = pick(random, {1, 2, 3});
    Graph graph;
    const Shape x_shape{batch, in, size, size};
    std::vector<ValueId> inputs = {graph.input("x", {DType::f32, x_shape})};
    inputs.push_back(graph.parameter("w", {DType::f32, {out, in / groups, kernel, kernel}},
                                     random_tensor({out, in / groups, kernel, kernel}, static_cast<std::uint64_t>(trial) * 7 + 1)));
    if (conv.has_bias) inputs.push_back(graph.parameter("b", {DType::f32, {out}}, random_tensor({out}, static_cast<std::uint64_t>(trial) * 7 + 2)));
    std::vector<Tensor> data;
    data.push_back(random_tensor(x_shape, static_cast<std::uint64_t>(trial)));
    if (conv.has_residual) {
      const std::int64_t extent = (size + 2 * conv.padding - kernel) / conv.stride + 1;
      const Shape shape{batch, out, extent, extent};
      inputs.push_back(graph.input("residual", {DType::f32, shape}));
      data.push_back(random_tensor(shape, static_cast<std::uint64_t>(trial) + 100));
    }
    graph.output(graph.add("conv", conv, inputs));
    expect_same(graph, data, x_shape.text() + " to " + std::to_string(out) + " channels, kernel " + std::to_string(kernel) + ", " + conv.text());
  }
}

TEST(Implementations, LinearLayersOfEveryKindGiveTheReferencesNumbers) {
  CounterRandom random(12);
  for (int trial = 0; trial < 40; ++trial) {
    const int in = pick(random, {1, 3, 17, 64, 192}), out = pick(random, {1, 10, 16, 100, 192});
    kernels::Linear linear{random.below(2) == 0, random.below(2) == 0, static_cast<ActivationKind>(random.below(4))};
    const bool tokens = random.below(2) == 0;
    const Shape x_shape = tokens ? Shape{2, 5, in} : Shape{pick(random, {1, 3, 8}), in};
    Shape y_shape = x_shape;
    y_shape[x_shape.rank() - 1] = out;
    Graph graph;
    std::vector<ValueId> inputs = {graph.input("x", {DType::f32, x_shape})};
    inputs.push_back(graph.parameter("w", {DType::f32, {out, in}}, random_tensor({out, in}, static_cast<std::uint64_t>(trial) + 1000)));
    if (linear.has_bias) inputs.push_back(graph.parameter("b", {DType::f32, {out}}, random_tensor({out}, static_cast<std::uint64_t>(trial) + 2000)));
    std::vector<Tensor> data;
    data.push_back(random_tensor(x_shape, static_cast<std::uint64_t>(trial) + 3000));
    if (linear.has_residual) {
      inputs.push_back(graph.input("residual", {DType::f32, y_shape}));
      data.push_back(random_tensor(y_shape, static_cast<std::uint64_t>(trial) + 4000));
    }
    graph.output(graph.add("linear", linear, inputs));
    if (y_shape.elements() > 1) expect_same(graph, data, x_shape.text() + " to " + std::to_string(out) + ", " + linear.text());
  }
}

TEST(Implementations, AttentionGivesTheReferencesNumbersForAnyHeadsAndTokens) {
  for (const int heads : {1, 3, 4}) {
    for (const int tokens : {1, 5, 17, 64}) {
      for (const int head_width : {8, 20, 64}) {
        Graph graph;
        const Shape shape{2, tokens, 3 * heads * head_width};
        graph.output(graph.add("attention", kernels::Attention{heads}, {graph.input("qkv", {DType::f32, shape})}));
        expect_same(graph, {random_tensor(shape, static_cast<std::uint64_t>(tokens))}, shape.text() + ", heads " + std::to_string(heads));
      }
    }
  }
}

TEST(Implementations, AttentionOfSomeQueriesGivesTheirRows) {
  for (const auto& [first, queries] : {std::pair<std::int64_t, std::int64_t>{0, 1}, {3, 40}, {63, 1}}) {
    for (const bool causal : {false, true}) {
      const Shape shape{2, 64, 3 * 3 * 16};
      const kernels::Attention all{.heads = 3, .causal = causal};
      const kernels::AttentionRows some{all, first, queries, all.compute};
      const Tensor qkv = random_tensor(shape, 8);
      Graph graph;
      graph.output(graph.add("attention", some, {graph.input("qkv", {DType::f32, shape})}));
      expect_same(graph, {qkv}, some.text());
      const Tensor rows = kernels::evaluate_reference(some, std::vector{qkv}).front(), whole = kernels::evaluate_reference(all, std::vector{qkv}).front();
      ASSERT_EQ(rows.shape(), (Shape{2, queries, 48}));
      for (std::int64_t n = 0; n < 2; ++n) {
        for (std::int64_t i = 0; i < queries * 48; ++i) {
          EXPECT_EQ(rows.as<float>()[static_cast<std::size_t>(n * queries * 48 + i)], whole.as<float>()[static_cast<std::size_t>((n * 64 + first) * 48 + i)]);
        }
      }
    }
  }
}

TEST(Implementations, NormalisationsActivationsAndSumsGiveTheReferencesNumbers) {
  for (const int channels : {1, 3, 16, 24}) {
    const Shape image{2, channels, 6, 5};
    Graph graph;
    const ValueId x = graph.input("x", {DType::f32, image});
    const auto channel = [&](const char* name, float scale, float shift) {
      return graph.parameter(name, {DType::f32, {channels}}, random_tensor({channels}, stream_key(5, name), scale, shift));
    };
    ValueId y = graph.add("bn", kernels::BatchNorm{}, {x, channel("weight", 1, 0), channel("bias", 1, 0), channel("mean", 1, 0), channel("variance", 0.05f, 1)});
    y = graph.add("relu6", kernels::Activation{ActivationKind::relu6}, {y});
    y = graph.add("gelu", kernels::Activation{ActivationKind::gelu}, {y});
    y = graph.add("sum", kernels::Binary{kernels::Binary::Kind::add}, {y, x});
    graph.output(graph.add("pool", kernels::GlobalAveragePool{}, {y}));
    expect_same(graph, {random_tensor(image, 6)}, image.text());
  }
}

TEST(Implementations, TokenOpsAndBroadcastsGiveTheReferencesNumbers) {
  const Shape map{3, 24, 4, 5};
  Graph graph;
  ValueId x = graph.add("tokens", kernels::ToTokens{}, {graph.input("x", {DType::f32, map})});
  const ValueId first = graph.parameter("cls", {DType::f32, {1, 1, 24}}, random_tensor({1, 1, 24}, 2));
  x = graph.add("concat", kernels::ConcatTokens{}, {first, x});
  const ValueId positions = graph.parameter("pos", {DType::f32, {1, 21, 24}}, random_tensor({1, 21, 24}, 3));
  x = graph.add("add", kernels::Binary{kernels::Binary::Kind::add}, {x, positions});
  const ValueId weight = graph.parameter("weight", {DType::f32, {24}}, random_tensor({24}, 4));
  const ValueId bias = graph.parameter("bias", {DType::f32, {24}}, random_tensor({24}, 5));
  x = graph.add("norm", kernels::LayerNorm{}, {x, weight, bias});
  x = graph.add("scale", kernels::Binary{kernels::Binary::Kind::multiply}, {x, weight});
  graph.output(graph.add("select", kernels::SelectToken{20}, {x}));
  expect_same(graph, {random_tensor(map, 1)}, "tokens");
}

TEST(Implementations, ARefusalIsRecordedWithItsReason) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {1, 8}});
  const ValueId w = graph.parameter("w", {DType::f32, {4, 8}}, random_tensor({4, 8}, 1));
  graph.output(graph.add("fc", kernels::Linear{}, {x, w}));
  runtime::PlanOptions options;
  options.implementations = {"reference"};
  const auto plan = runtime::Plan::compile(graph, options);
  ASSERT_EQ(plan->steps().size(), 1u);
  EXPECT_EQ(plan->steps()[0].info.implementation, "reference");
  EXPECT_EQ(plan->steps()[0].info.refused,
            "sparse: not among the implementations asked for; tile: not among the implementations asked for; onednn: not among the implementations asked for");
  EXPECT_EQ(plan->steps()[0].info.flop, 2 * 4 * 8);
}

}  // namespace
}  // namespace edgelab
