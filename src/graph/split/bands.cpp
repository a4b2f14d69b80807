#include "graph/split/bands.hpp"

#include <algorithm>

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/quantized_conv2d/quantized_conv2d.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"

namespace edgelab::graph {

std::optional<RowWindow> RowWindow::of(const Graph& graph, const Node& node) {
  RowWindow window;
  window.rows_in_ = graph.type(node.inputs[0]).shape.rank() == 4 ? graph.type(node.inputs[0]).shape[2] : 0;
  if (const auto* conv = node.op.as<kernels::Conv2d>()) {
    if (conv->has_residual) return std::nullopt;
    window.kernel_ = graph.type(node.inputs[1]).shape[2];
    window.stride_ = conv->stride;
    window.padding_ = conv->padding;
  } else if (const auto* block = node.op.as<kernels::InvertedResidual>()) {
    if (block->expand) {
      window.kernel_ = graph.type(node.inputs[block->expand_input()]).shape[2];
      window.stride_ = block->expand_stride;
      window.padding_ = block->expand_padding;
    }
    window.depthwise_ = true;
    window.depthwise_stride_ = block->stride;
  } else if (const auto* bytes = node.op.as<kernels::QuantizedConv2d>()) {
    if (bytes->residual) return std::nullopt;
    window.kernel_ = graph.type(node.inputs[1]).shape[2];
    window.stride_ = bytes->stride;
    window.padding_ = bytes->padding;
  } else if (const auto* integers = node.op.as<kernels::QuantizedInvertedResidual>()) {
    if (integers->expand()) {
      window.kernel_ = graph.type(node.inputs[kernels::QuantizedInvertedResidual::weight_input(0)]).shape[2];
      window.stride_ = integers->convolutions.front().stride;
      window.padding_ = integers->convolutions.front().padding;
    }
    window.depthwise_ = true;
    window.depthwise_stride_ = integers->depthwise().stride;
  } else {
    return std::nullopt;
  }
  window.rows_between_ = (window.rows_in_ + 2 * window.padding_ - window.kernel_) / window.stride_ + 1;
  window.rows_out_ = graph.type(node.outputs[0]).shape[2];
  return window;
}

Range RowWindow::input_of(const Range& band) const {
  Range between = band;
  if (depthwise_) {
    between = {std::max<std::int64_t>(0, band.begin * depthwise_stride_ - 1), std::min(rows_between_, (band.end - 1) * depthwise_stride_ + 2)};
  }
  const std::int64_t begin = std::max<std::int64_t>(0, between.begin * stride_ - padding_);
  const std::int64_t end = std::min(rows_in_, (between.end - 1) * stride_ - padding_ + kernel_);
  const std::int64_t step = stride_ * depthwise_stride_;
  return {begin / step * step, end};
}

}  // namespace edgelab::graph
