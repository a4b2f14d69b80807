#include "graph/split/part_builder.hpp"

#include <algorithm>

#include "graph/split/cut.hpp"
#include "graph/split/slice.hpp"

namespace edgelab::graph {

void PartBuilder::prologue(std::size_t start, const std::function<ValueId(ValueId, ValueId)>& deal) {
  if (member_.first()) {
    for (const ValueId id : graph_.inputs()) rewrite_.map(id, to().input(graph_.value(id).name, graph_.type(id)));
    for (std::size_t n = 0; n < start; ++n) rewrite_.copy(graph_.nodes()[n]);
  }
  for (const ValueId old : values_over(graph_, start)) rewrite_.map(old, deal(old, member_.first() ? rewrite_.carry(old) : ValueId()));
}

std::size_t PartBuilder::cheapest_cut(std::size_t first) const {
  const std::vector<std::int64_t> bytes = bytes_over_cuts(graph_);
  std::size_t best = first;
  for (std::size_t at = first; at-- > 0;) {
    if (bytes[at] < bytes[best]) best = at;
  }
  return best;
}

ValueId PartBuilder::sliced(ValueId old, int axis, const std::vector<Range>& ranges) {
  // Two layers may read one weight: each token's projection, behind the selection of tokens.
  const auto [known, fresh] = sliced_.try_emplace({old, axis}, ValueId());
  if (!fresh) return known->second;
  const Value& value = graph_.value(old);
  Tensor part = slice(value.data, axis, ranges);
  const TensorType type{part.dtype(), part.shape()};
  const ValueId id = value.kind == ValueKind::constant ? to().constant(value.name, std::move(part)) : to().parameter(value.name, type, std::move(part));
  to().set_origin(id, value.origin + (value.origin.empty() ? "" : "; ") + "a share of it");
  return known->second = id;
}

ValueId PartBuilder::bias_or_zeros(ValueId old, bool whole) {
  return whole ? weight(old) : to().constant(graph_.value(old).name, Tensor(DType::f32, shape(old)));
}

ValueId PartBuilder::dealt(const std::string& layer, const TensorType& whole, int axis, const std::vector<Range>& owned, const std::vector<Range>& wanted, ValueId here) {
  const Range held = here.valid() ? owned[static_cast<std::size_t>(member_.index)] : Range();
  const kernels::Exchange exchange{whole, axis, member_.index, held, owned, wanted, 0, member_.transport};
  return here.valid() ? to().add(layer, exchange, {here}) : to().add(layer, exchange, std::span<const ValueId>());
}

ValueId PartBuilder::broadcast(const std::string& layer, const TensorType& type, ValueId here) {
  const int axis = type.shape.rank() == 4 ? 2 : 1;
  const auto members = static_cast<std::size_t>(member_.count());
  std::vector<Range> owned(members);
  owned.front() = {0, type.shape[axis]};
  return dealt(layer, type, axis, owned, std::vector<Range>(members, owned.front()), here);
}

Graph PartBuilder::finish() {
  for (const ValueId id : graph_.outputs()) to().output(rewrite_.carry(id));
  return std::move(to());
}

}  // namespace edgelab::graph
