#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"
#include "kernels/op.hpp"

namespace edgelab::graph {

using kernels::Op;
using kernels::TensorType;

// Index of a value in its graph.
struct ValueId {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
  auto operator<=>(const ValueId&) const = default;
};

// inputs come from the caller at each run; parameters are what training learns and buffers what it only observes (running
// statistics), both known by the name that checkpoints use; constants are fixed by the model itself; results are computed.
enum class ValueKind : std::uint8_t { input, parameter, buffer, constant, result };

struct Value {
  ValueKind kind{};
  TensorType type;
  std::string name;
  Tensor data;  // of parameters and buffers once bound, and of constants
  // A parameter that a pass has changed (a folded convolution weight) keeps its name and says what it came from.
  std::string origin;

  bool known() const { return data.defined(); }
};

class Graph;

struct Node {
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::string name;  // the layer, as the model's authors call it: "features.3.conv.0"
  // Of a fused node: what it stands for, node for node, with the values that are not weights as its inputs in their order.
  // The plan may measure both and take the faster.
  std::shared_ptr<const Graph> unfused;
};

// A computation as a list of nodes in topological order: a node can only use values that stand before it. Grows by
// appending; nothing is ever changed in place but the data of values. Passes make new graphs.
class Graph {
 public:
  ValueId input(std::string name, TensorType type);
  ValueId parameter(std::string name, TensorType type, Tensor data = {});  // throws Error on a name used twice
  ValueId buffer(std::string name, TensorType type, Tensor data = {});
  ValueId constant(std::string name, Tensor data);
  // Appends a node; output types are inferred. Throws Error (data), naming the layer, where the inputs don't fit.
  std::vector<ValueId> apply(std::string layer, Op op, std::span<const ValueId> inputs, std::shared_ptr<const Graph> unfused = nullptr);
  // The same for the common case of one output.
  ValueId add(std::string layer, Op op, std::initializer_list<ValueId> inputs);
  ValueId add(std::string layer, Op op, std::span<const ValueId> inputs);
  void output(ValueId value);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Value>& values() const { return values_; }
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id.index)]; }
  const TensorType& type(ValueId id) const { return value(id).type; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  std::vector<ValueId> weights() const;  // parameters and buffers: what a checkpoint holds

  // Gives a parameter or buffer its data; throws Error (data) if type or shape differ.
  void bind(ValueId weight, Tensor data);
  void set_origin(ValueId id, std::string origin) { values_[static_cast<std::size_t>(id.index)].origin = std::move(origin); }

  std::int64_t flop(const Node& node) const;
  std::int64_t flop() const;                  // of one run, all samples of the batch
  std::int64_t parameter_elements() const;          // buffers not counted, as the field counts
  std::int64_t nonzero_parameter_elements() const;  // unbound parameters count whole

  // How many times each value is used, uses as an output of the graph included.
  std::vector<int> use_counts() const;
  std::vector<TensorType> types_of(std::span<const ValueId> ids) const;

  // One line a node, for people and for tests.
  std::string text() const;

 private:
  ValueId append(Value value);
  ValueId weight(ValueKind kind, std::string name, TensorType type, Tensor data);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_, outputs_;
};

}  // namespace edgelab::graph
