#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"

namespace edgelab::graph {

Graph set_attention(const Graph& graph, kernels::Attention::Algorithm algorithm) {
  return with_changed_ops(graph, [&](const Op& op) -> Op {
    const auto* attention = op.as<kernels::Attention>();
    if (attention == nullptr) return op;
    kernels::Attention settings = *attention;
    settings.algorithm = algorithm;
    return settings;
  });
}

}  // namespace edgelab::graph
