#include "graph/graph.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace edgelab::graph {

ValueId Graph::append(Value value) {
  values_.push_back(std::move(value));
  return {static_cast<std::int32_t>(values_.size()) - 1};
}

ValueId Graph::input(std::string name, TensorType type) {
  const ValueId id = append({ValueKind::input, type, std::move(name), {}, {}});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::parameter(std::string name, TensorType type, Tensor data) {
  return weight(ValueKind::parameter, std::move(name), type, std::move(data));
}

ValueId Graph::buffer(std::string name, TensorType type, Tensor data) {
  return weight(ValueKind::buffer, std::move(name), type, std::move(data));
}

ValueId Graph::weight(ValueKind kind, std::string name, TensorType type, Tensor data) {
  for (const ValueId id : weights()) {
    if (value(id).name == name) throw Error(ErrorKind::data, "two weights have one name").got(name);
  }
  const ValueId id = append({kind, type, std::move(name), {}, {}});
  if (data.defined()) bind(id, std::move(data));
  return id;
}

ValueId Graph::constant(std::string name, Tensor data) {
  const TensorType type{data.dtype(), data.shape()};
  return append({ValueKind::constant, type, std::move(name), std::move(data), {}});
}

std::vector<ValueId> Graph::apply(std::string layer, Op op, std::span<const ValueId> inputs, std::shared_ptr<const Graph> unfused) {
  std::vector<TensorType> types;
  try {
    types = op.infer(types_of(inputs));
  } catch (const Error& error) {
    throw Error(error.kind(), "layer " + layer + ": " + std::string(error.what()).substr(std::string("error: ").size()));
  }
  Node node{std::move(op), {inputs.begin(), inputs.end()}, {}, std::move(layer), std::move(unfused)};
  for (const TensorType& type : types) node.outputs.push_back(append({ValueKind::result, type, node.name, {}, {}}));
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

ValueId Graph::add(std::string layer, Op op, std::initializer_list<ValueId> inputs) {
  return add(std::move(layer), std::move(op), std::span(inputs.begin(), inputs.size()));
}

ValueId Graph::add(std::string layer, Op op, std::span<const ValueId> inputs) {
  return apply(std::move(layer), std::move(op), inputs).front();
}

void Graph::output(ValueId value) { outputs_.push_back(value); }

std::vector<ValueId> Graph::weights() const {
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == ValueKind::parameter || values_[i].kind == ValueKind::buffer) ids.push_back({static_cast<std::int32_t>(i)});
  }
  return ids;
}

void Graph::bind(ValueId weight, Tensor data) {
  Value& value = values_[static_cast<std::size_t>(weight.index)];
  if (data.dtype() != value.type.dtype || !(data.shape() == value.type.shape)) {
    throw Error(ErrorKind::data, "the tensor does not fit the weight " + value.name)
        .got(std::string(name_of(data.dtype())) + " " + data.shape().text())
        .expected(std::string(name_of(value.type.dtype)) + " " + value.type.shape.text());
  }
  value.data = std::move(data);
}

std::int64_t Graph::flop(const Node& node) const { return node.op.flop(types_of(node.inputs), types_of(node.outputs)); }

std::int64_t Graph::flop() const {
  std::int64_t total = 0;
  for (const Node& node : nodes_) total += flop(node);
  return total;
}

std::int64_t Graph::parameter_elements() const {
  std::int64_t total = 0;
  for (const Value& value : values_) {
    if (value.kind == ValueKind::parameter) total += value.type.elements();
  }
  return total;
}

std::int64_t Graph::nonzero_parameter_elements() const {
  std::int64_t total = 0;
  for (const Value& parameter : values_) {
    if (parameter.kind != ValueKind::parameter) continue;
    if (!parameter.known() || parameter.type.dtype != DType::f32) {
      total += parameter.type.elements();
      continue;
    }
    const auto elements = parameter.data.as<float>();
    total += static_cast<std::int64_t>(elements.size()) - std::count(elements.begin(), elements.end(), 0.0f);
  }
  return total;
}

std::vector<int> Graph::use_counts() const {
  std::vector<int> counts(values_.size(), 0);
  for (const Node& node : nodes_) {
    for (const ValueId id : node.inputs) ++counts[static_cast<std::size_t>(id.index)];
  }
  for (const ValueId id : outputs_) ++counts[static_cast<std::size_t>(id.index)];
  return counts;
}

std::vector<TensorType> Graph::types_of(std::span<const ValueId> ids) const {
  std::vector<TensorType> types;
  types.reserve(ids.size());
  for (const ValueId id : ids) types.push_back(type(id));
  return types;
}

std::string Graph::text() const {
  std::string text;
  for (const Node& node : nodes_) {
    for (const ValueId id : node.outputs) text += "%" + std::to_string(id.index) + type(id).shape.text() + " ";
    text += "= " + std::string(node.op.name()) + "{" + node.op.text() + "}(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Value& input = value(node.inputs[i]);
      text += (i > 0 ? ", " : "") + (input.kind == ValueKind::result ? "%" + std::to_string(node.inputs[i].index) : input.name);
    }
    text += ")  # " + node.name + "\n";
  }
  return text;
}

}  // namespace edgelab::graph
