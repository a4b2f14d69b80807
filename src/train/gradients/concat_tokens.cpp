#include "kernels/sum_to/sum_to.hpp"
#include "kernels/tokens/tokens.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void concat_tokens_gradient(Backward& backward, const Node& node) {
  const ValueId dy = backward.incoming(node.outputs[0]);
  std::int64_t begin = 0;
  for (const ValueId input : node.inputs) {
    const Shape shape = backward.type(input).shape;
    const std::int64_t count = shape[1];
    if (backward.wanted(input)) {
      const ValueId part = backward.add(kernels::SliceTokens{.begin = begin, .count = count}, {dy});
      // A token that all samples share.
      const bool shared = !(backward.type(part).shape == shape);
      backward.give(input, shared ? backward.add(kernels::SumTo{shape}, {part}) : part);
    }
    begin += count;
  }
}

}  // namespace edgelab::train
