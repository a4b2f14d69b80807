#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/message/exchange.hpp"

// What ranks that share the layers of a graph (not its samples, not its depth) each run: a part of the graph with messages in it.
namespace edgelab::graph {

using kernels::Range;

struct Part {
  Graph graph;
  std::string share;  // for people: "heads 2 to 3 of 6"
};

// Who runs a part: member `index` of as many as there are weights; a weight says how fast each is against the others.
struct Member {
  int index = 0;
  std::span<const double> weights;
  kernels::Transport* transport = nullptr;  // for the message ops; null: the part is only looked at
  int count() const { return static_cast<int>(weights.size()); }
  bool first() const { return index == 0; }
};

// `total` things dealt out in order, to each as many as its weight asks for (largest remainders, Hamilton); some may get none.
std::vector<Range> shares_of(std::int64_t total, std::span<const double> weights);
// The same, but that nobody goes without where there are as many things as weights: those with most give one up. However slow a
// machine was when it was measured, it must be able to take part.
std::vector<Range> shares_for_all(std::int64_t total, std::span<const double> weights);

// Tensor parallel: each member computes some of a layer's heads, hidden units or channels, and of the layer behind it the part of the sum
// that these feed; one all_reduce adds the parts up (Shoeybi et al., Megatron-LM, 2019). In a vision transformer these are attention's
// heads and the MLP's hidden units, in MobileNetV2 the expanded channels of each inverted residual and the features before the
// classifier. All else is computed by every member; what comes before the first shared layer by the first alone, who has the graph's
// inputs. Outputs are the same on all. After the fusions of optimise(). Throws Error (usage) if there is nothing to share.
Part tensor_part(const Graph& graph, const Member& member);

// Sequence parallel: each member has some of the tokens, or, of a convolutional network, a band of rows of every map. Attention gathers
// keys and values of all tokens, convolutions fetch the rows beside their band (a halo; what is expanded of it is computed twice).
// Where a map has fewer rows than there are members, it is gathered and all compute the rest. As above otherwise.
// Throws Error (usage) where there are fewer tokens than members, or if nothing can be shared.
Part sequence_part(const Graph& graph, const Member& member);

}  // namespace edgelab::graph
