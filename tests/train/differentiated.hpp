#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "golden.hpp"
#include "graph/passes/passes.hpp"
#include "runtime/executable.hpp"
#include "train/autodiff.hpp"
#include "train/training_form.hpp"

// Differentiated models before and after a pass, and whether they compute the same.
namespace edgelab::train::testing {

inline graph::Graph with_gradients(const nlohmann::json& item, DType compute, Recompute recompute) {
  graph::Graph forward = graph::set_compute(training_form(model_of(item), {}).graph, compute);
  std::vector<graph::ValueId> wanted;
  for (const graph::ValueId id : forward.weights()) {
    if (forward.value(id).kind == graph::ValueKind::parameter) wanted.push_back(id);
  }
  return differentiate(forward, wanted, recompute).graph;
}

inline std::vector<Tensor> outputs_of(const graph::Graph& graph, std::uint64_t seed) {
  runtime::PlanOptions options;
  options.threads = 2;
  options.weights_change = true;
  runtime::Executable executable(runtime::Plan::compile(graph, options));
  draw_images(executable.input(0), seed, "images");
  set_targets(executable.input(1), 0);
  executable.run();
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) outputs.push_back(executable.output(i).clone());
  return outputs;
}

inline double norm(const Tensor& values) {
  double sum = 0;
  for (const float value : values.as<float>()) sum += std::pow(static_cast<double>(value), 2);
  return std::sqrt(sum);
}

inline void expect_alike(const std::vector<Tensor>& got, const std::vector<Tensor>& want, double tolerance, const std::string& what) {
  double all = 0;
  for (const Tensor& tensor : want) all += norm(tensor);
  for (std::size_t i = 0; i < want.size(); ++i) {
    Tensor difference = got[i].clone();
    for (std::size_t j = 0; j < want[i].as<float>().size(); ++j) difference.as<float>()[j] -= want[i].as<float>()[j];
    EXPECT_LE(norm(difference), tolerance * (norm(want[i]) + 1e-3 * all)) << what << ", output " << i;
  }
}

inline bool transformer(const nlohmann::json& item) { return item["model"]["arch"].get<std::string>().find("deit") != std::string::npos; }

}  // namespace edgelab::train::testing
