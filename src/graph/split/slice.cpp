#include "graph/split/slice.hpp"

#include <cstring>

namespace edgelab::graph {
namespace {

using kernels::Range;

// Calls with the byte offsets in the whole weight and in the part, and how many bytes lie together there.
template <class Function> void each_run(const Shape& shape, std::size_t element, int axis, const std::vector<Range>& ranges, Function function) {
  std::int64_t outer = 1, inner = static_cast<std::int64_t>(element);
  for (int a = 0; a < axis; ++a) outer *= shape[a];
  for (int a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
  std::int64_t in_part = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Range& range : ranges) {
      const std::int64_t bytes = range.size() * inner;
      function((o * shape[axis] + range.begin) * inner, in_part, static_cast<std::size_t>(bytes));
      in_part += bytes;
    }
  }
}

}  // namespace

Tensor slice(const Tensor& weight, int axis, const std::vector<Range>& ranges) {
  Shape shape = weight.shape();
  shape[axis] = 0;
  for (const Range& range : ranges) shape[axis] += range.size();
  Tensor part(weight.dtype(), shape);
  each_run(weight.shape(), size_of(weight.dtype()), axis, ranges, [&](std::int64_t from, std::int64_t to, std::size_t bytes) { std::memcpy(part.data() + to, weight.data() + from, bytes); });
  return part;
}

void paste(const Tensor& part, int axis, const std::vector<Range>& ranges, Tensor weight) {
  each_run(weight.shape(), size_of(weight.dtype()), axis, ranges, [&](std::int64_t to, std::int64_t from, std::size_t bytes) { std::memcpy(weight.data() + to, part.data() + from, bytes); });
}

}  // namespace edgelab::graph
