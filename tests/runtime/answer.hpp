#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "runtime/executable.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::runtime::testing {

// The input of a graph that all these tests take: always the same for one shape.
inline Tensor image_of(const graph::Graph& graph) { return test::random_tensor(graph.type(graph.inputs()[0]).shape, 5); }

// The first output for it, of a plan by these implementations (empty: whichever is fastest).
inline Tensor answer(const graph::Graph& graph, int threads, std::vector<std::string> implementations = {}) {
  PlanOptions options;
  options.threads = threads;
  options.implementations = std::move(implementations);
  Executable executable(Plan::compile(graph, options));
  std::ranges::copy(image_of(graph).as<float>(), executable.input().as<float>().begin());
  executable.run();
  return executable.output().clone();
}

}  // namespace edgelab::runtime::testing
