#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "graph/graph.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::graph::testing {

// Runs the graph node by node on the plain references.
inline Tensor evaluate(const Graph& graph, const Tensor& input) {
  std::vector<Tensor> values(graph.values().size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = graph.values()[i].data;
  values[static_cast<std::size_t>(graph.inputs().front().index)] = input;
  for (const Node& node : graph.nodes()) {
    std::vector<Tensor> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(values[static_cast<std::size_t>(id.index)]);
    const std::vector<Tensor> outputs = kernels::evaluate_reference(node.op, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) values[static_cast<std::size_t>(node.outputs[i].index)] = outputs[i];
  }
  return values[static_cast<std::size_t>(graph.outputs().front().index)];
}

inline void expect_same_answers(const Graph& before, const Graph& after) {
  const Tensor x = test::random_tensor(before.type(before.inputs().front()).shape, 42);
  EXPECT_LE(test::relative_difference(evaluate(after, x), evaluate(before, x)), 1e-5) << after.text();
}

}  // namespace edgelab::graph::testing
