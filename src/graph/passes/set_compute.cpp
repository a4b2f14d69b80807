#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"

namespace edgelab::graph {

Graph set_compute(const Graph& graph, DType type) {
  return with_changed_ops(graph, [&](const Op& op) { return op.with_compute(type); });
}

}  // namespace edgelab::graph
