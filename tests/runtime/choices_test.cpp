#include "runtime/choices.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "graph/passes/rewrite.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "runtime/executable.hpp"
#include "support/random_tensor.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::runtime {
namespace {

using graph::Graph;
using graph::ValueId;
using test::random_tensor;

TEST(Choices, AreThereForTheNextProcessButForALineThatWasCutShort) {
  const test::TemporaryDirectory folder;
  const auto file = folder / "made" / "choices.tsv";
  const Choices::Choice fused{"tile", "unfused 12 µs against 8 µs"}, second{"onednn", ""};
  {
    Choices choices(file);
    choices.keep("first", fused);
    choices.keep("second", second);
    choices.keep("second", fused);  // the first word stands
    choices.keep("third", second);
  }
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const Choices again(file);
  EXPECT_EQ(again.find("first"), fused);
  EXPECT_EQ(again.find("second"), second);
  EXPECT_EQ(again.find("third"), std::nullopt);
}

TEST(Choices, WhatIsNoSuchFileIsOnlyAWarning) {
  const test::TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "choices.tsv");
  testing::internal::CaptureStderr();
  Choices choices(folder / "choices.tsv");
  choices.keep("key", {"tile", ""});
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(choices.find("key").has_value());
}

TEST(Choices, GoToAnotherRankAsText) {
  Choices here, there;
  here.keep("a", {"tile", "onednn 2 µs against 1 µs"});
  there.keep("b", {"onednn", ""});
  there.add(here.text());
  EXPECT_EQ(there.find("a"), here.find("a"));
  EXPECT_TRUE(there.find("b").has_value());
}

// A convolution with a residual, fused out of a convolution and an addition.
Graph fused_graph() {
  Graph plain;
  const ValueId x = plain.input("x", {DType::f32, {1, 16, 9, 9}});
  const ValueId w = plain.parameter("w", {DType::f32, {16, 16, 1, 1}}, random_tensor({16, 16, 1, 1}, 3, 0.2f));
  const ValueId y = plain.add("conv", kernels::Conv2d{}, {x, w});
  plain.output(plain.add("sum", kernels::Binary{}, {x, y}));
  graph::Rewrite rewrite(plain);
  const std::vector<ValueId> inputs = {x, w, x};
  rewrite.fuse("block", kernels::Conv2d{.has_residual = true}, inputs, {&plain.nodes()[0], &plain.nodes()[1]});
  return rewrite.finish();
}

Tensor answer(Executable& executable) {
  const Tensor x = random_tensor({1, 16, 9, 9}, 5);
  Tensor input = executable.input();
  std::ranges::copy(x.as<float>(), input.as<float>().begin());
  executable.run();
  return executable.output();
}

bool has_layer(const Plan& plan, const std::string& layer) {
  return std::any_of(plan.steps().begin(), plan.steps().end(), [&](const Plan::Step& step) { return step.info.name == layer; });
}

TEST(MeasuredChoice, IsMadeOnceAndFollowedFromThenOn) {
  const Graph graph = fused_graph();
  Executable fused(Plan::compile(graph, {}));
  EXPECT_TRUE(has_layer(fused.plan(), "block"));
  const Tensor expected = answer(fused).clone();

  Choices choices;
  PlanOptions options;
  options.choices = &choices;
  Executable measured(Plan::compile(graph, options));
  EXPECT_LE(test::relative_difference(answer(measured), expected), 1e-5);
  const std::string text = choices.text();
  ASSERT_NE(text, "");
  Plan::compile(graph, options);
  EXPECT_EQ(choices.text(), text);

  // The same graph under a choice that says otherwise.
  const std::string key = text.substr(0, text.find('\t'));
  for (const bool unfused : {true, false}) {
    Choices told;
    told.keep(key, {unfused ? Choices::kUnfused : "onednn", "the other 9 µs against 1 µs"});
    options.choices = &told;
    Executable executable(Plan::compile(graph, options));
    EXPECT_EQ(has_layer(executable.plan(), "block"), !unfused);
    EXPECT_EQ(has_layer(executable.plan(), "sum"), unfused);
    EXPECT_LE(test::relative_difference(answer(executable), expected), 1e-5);
    const auto& steps = executable.plan().steps();
    const auto tells = [](const Plan::Step& step) { return step.info.refused.find("the other 9 µs") != std::string::npos; };
    EXPECT_TRUE(std::any_of(steps.begin(), steps.end(), tells));
  }
}

TEST(MeasuredChoice, AFusedNodeThatOnlyTheReferenceCanComputeStaysUnfused) {
  PlanOptions options;
  options.implementations = {"none that exists"};
  EXPECT_TRUE(has_layer(*Plan::compile(fused_graph(), options), "sum"));
}

}  // namespace
}  // namespace edgelab::runtime
