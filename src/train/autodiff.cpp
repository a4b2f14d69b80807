#include "train/autodiff.hpp"

#include "train/gradients/backward.hpp"

namespace edgelab::train {

Differentiated differentiate(const Graph& forward, std::span<const ValueId> wanted, Recompute recompute, std::span<const ValueId> given) {
  Backward backward(forward, wanted, recompute);
  for (const ValueId id : given) backward.take_in(id);
  backward.run();
  std::vector<ValueId> gradients;
  for (const ValueId id : wanted) gradients.push_back(backward.gradient_of(id));
  Differentiated result{backward.take(), forward.outputs().size()};
  for (const ValueId id : gradients) result.graph.output(id);
  return result;
}

}  // namespace edgelab::train
