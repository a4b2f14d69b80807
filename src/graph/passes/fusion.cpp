#include "graph/passes/fusion.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace edgelab::graph {

Graph fuse_where(const Graph& graph, FusionRule rule) {
  const Pattern pattern(graph);
  std::map<const Node*, Fusion> fusions;
  std::set<const Node*> taken;
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    if (taken.contains(&node)) continue;
    std::optional<Fusion> fusion = rule(pattern, node);
    if (!fusion || std::any_of(fusion->nodes.begin(), fusion->nodes.end(), [&](const Node* part) { return taken.contains(part); })) continue;
    taken.insert(fusion->nodes.begin(), fusion->nodes.end());
    fusions.emplace(&node, std::move(*fusion));
  }
  Rewrite rewrite(graph);
  for (const Node& node : graph.nodes()) {
    const auto fusion = fusions.find(&node);
    if (fusion != fusions.end()) {
      // Unless the rule knows better, a block is named by its last layer: that is where its result stood before.
      const std::string& layer = fusion->second.layer;
      rewrite.fuse(layer.empty() ? node.name : layer, fusion->second.op, fusion->second.inputs, fusion->second.nodes);
    } else if (!taken.contains(&node)) {
      rewrite.copy(node);
    }
  }
  return rewrite.finish();
}

std::string common_layer(const std::string& first, const std::string& last) {
  const auto differ = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first;
  const std::string common(first.begin(), differ);
  const auto dot = common.rfind('.');
  return dot == std::string::npos || dot == 0 ? last : common.substr(0, dot);
}

}  // namespace edgelab::graph
