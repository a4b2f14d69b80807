#include <gtest/gtest.h>

#include <cmath>

#include "golden.hpp"
#include "graph/passes/passes.hpp"
#include "runtime/executable.hpp"
#include "train/autodiff.hpp"
#include "train/training_form.hpp"

namespace edgelab::train {
namespace {

using graph::Graph;
using graph::ValueId;

Graph with_gradients(const nlohmann::json& item, DType compute, Recompute recompute) {
  Graph forward = graph::set_compute(training_form(testing::model_of(item), {}).graph, compute);
  std::vector<ValueId> wanted;
  for (const ValueId id : forward.weights()) {
    if (forward.value(id).kind == graph::ValueKind::parameter) wanted.push_back(id);
  }
  return differentiate(forward, wanted, recompute).graph;
}

std::vector<Tensor> outputs_of(const Graph& graph, std::uint64_t seed) {
  runtime::PlanOptions options;
  options.threads = 2;
  options.weights_change = true;
  runtime::Executable executable(runtime::Plan::compile(graph, options));
  testing::draw_images(executable.input(0), seed, "images");
  testing::set_targets(executable.input(1), 0);
  executable.run();
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) outputs.push_back(executable.output(i).clone());
  return outputs;
}

double norm(const Tensor& values) {
  double sum = 0;
  for (const float value : values.as<float>()) sum += std::pow(static_cast<double>(value), 2);
  return std::sqrt(sum);
}

void expect_alike(const std::vector<Tensor>& got, const std::vector<Tensor>& want, double tolerance, const std::string& what) {
  double all = 0;
  for (const Tensor& tensor : want) all += norm(tensor);
  for (std::size_t i = 0; i < want.size(); ++i) {
    Tensor difference = got[i].clone();
    for (std::size_t j = 0; j < want[i].as<float>().size(); ++j) difference.as<float>()[j] -= want[i].as<float>()[j];
    EXPECT_LE(norm(difference), tolerance * (norm(want[i]) + 1e-3 * all)) << what << ", output " << i;
  }
}

bool transformer(const nlohmann::json& item) { return item["model"]["arch"].get<std::string>().find("deit") != std::string::npos; }

bool travels_as_bf16(const Graph& graph, const std::string& op, const std::string& name) {
  for (const graph::Node& node : graph.nodes()) {
    if (node.op.name() == op && node.name.ends_with(name)) return graph.type(node.outputs[0]).dtype == DType::bf16;
  }
  ADD_FAILURE() << "no " << op << " of the name " << name;
  return false;
}

TEST(NarrowTrainingValues, HalvesWhatEveryReaderRoundsAndKeepsTheGradients) {
  int seen = 0;
  for (const auto& item : testing::golden("gradients.json")) {
    if (!transformer(item)) continue;
    ++seen;
    for (const Recompute recompute : {Recompute::nothing, Recompute::cheap, Recompute::blocks}) {
      const Graph before = with_gradients(item, DType::bf16, recompute), after = graph::narrow_training_values(before);
      for (const char* norm : {"blocks.0.norm1", "blocks.0.norm2"}) EXPECT_TRUE(travels_as_bf16(after, "layer_norm", norm));
      EXPECT_TRUE(travels_as_bf16(after, "activation", "blocks.0.mlp.act"));
      EXPECT_TRUE(travels_as_bf16(after, "linear", "blocks.0.attn.qkv"));
      EXPECT_TRUE(travels_as_bf16(after, "attention", "blocks.0.attn"));
      // What gradients of norms, sums and activations read stays as it is.
      EXPECT_FALSE(travels_as_bf16(after, "linear", "blocks.0.mlp.fc1"));
      EXPECT_FALSE(travels_as_bf16(after, "linear", "blocks.0.attn.proj"));
      expect_alike(outputs_of(after, 1), outputs_of(before, 1), 0.02, item["model"].dump());
    }
  }
  EXPECT_GT(seen, 0);
}

TEST(NarrowTrainingValues, ChangesNothingInFp32OrInConvolutions) {
  for (const auto& item : testing::golden("gradients.json")) {
    const DType compute = transformer(item) ? DType::f32 : DType::bf16;
    const Graph before = with_gradients(item, compute, Recompute::nothing);
    EXPECT_EQ(graph::narrow_training_values(before).text(), before.text());
  }
}

}  // namespace
}  // namespace edgelab::train
