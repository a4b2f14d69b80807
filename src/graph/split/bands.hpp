#pragma once

#include <cstdint>
#include <optional>

#include "graph/graph.hpp"
#include "graph/split/part.hpp"

namespace edgelab::graph {

// The rows that a convolution or an inverted residual reads and gives: a window of one convolution, and for a block a depthwise 3×3 one
// behind it. A band of the output needs a band of the input, the halo beside it included.
class RowWindow {
 public:
  // Of a convolution or an inverted residual, in floats or integers; nothing for other ops, and for a convolution with a residual.
  static std::optional<RowWindow> of(const Graph& graph, const Node& node);

  std::int64_t rows_out() const { return rows_out_; }
  // The input rows that output rows `band` are computed from when the op runs on these alone, with its own padding. They begin where
  // strides fall on the same rows as in the whole map; rows of the output whose window was cut off come out wrong, none of `band` is.
  Range input_of(const Range& band) const;
  // The output row that the op gives first when it is run on the rows from `first_row` on.
  std::int64_t first_output(std::int64_t first_row) const { return first_row / (stride_ * depthwise_stride_); }

 private:
  std::int64_t rows_in_ = 0, rows_between_ = 0, rows_out_ = 0;
  std::int64_t kernel_ = 1, stride_ = 1, padding_ = 0;
  std::int64_t depthwise_stride_ = 1;
  bool depthwise_ = false;
};

}  // namespace edgelab::graph
