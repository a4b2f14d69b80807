#include "models/unfold.hpp"

#include <algorithm>
#include <map>

#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::models {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

Tensor filled(const Shape& shape, float value) {
  Tensor tensor(DType::f32, shape);
  std::ranges::fill(tensor.as<float>(), value);
  return tensor;
}

}  // namespace

std::vector<NamedTensor> unfolded(const Graph& architecture, std::span<const NamedTensor> folded) {
  std::map<std::string, Tensor> tensors;
  for (const NamedTensor& item : folded) tensors.emplace(item.name, item.tensor);
  const auto name_of = [&](ValueId id) { return architecture.value(id).name; };
  const auto shape_of = [&](ValueId id) {
    const auto found = tensors.find(name_of(id));
    return found == tensors.end() ? architecture.type(id).shape : found->second.shape();
  };
  std::map<ValueId, const Node*> linear_of;
  for (const Node& node : architecture.nodes()) {
    if (node.op.as<kernels::Linear>() != nullptr) linear_of.emplace(node.outputs[0], &node);
    if (const auto* norm = node.op.as<kernels::BatchNorm>()) {
      const Shape channels = shape_of(node.inputs[2]);  // the bias is the folded layer's
      const float values[] = {1.0f, 0.0f, 0.0f, static_cast<float>(1.0 - norm->epsilon)};
      for (std::size_t i = 0; i < 4; ++i) tensors.try_emplace(name_of(node.inputs[i + 1]), filled(channels, values[i]));
    }
    const auto* binary = node.op.as<kernels::Binary>();
    if (binary == nullptr || binary->kind != kernels::Binary::Kind::multiply || !linear_of.contains(node.inputs[0])) continue;
    const ValueId scale = node.inputs[1];
    if (architecture.value(scale).kind == graph::ValueKind::parameter) tensors.try_emplace(name_of(scale), filled(architecture.type(scale).shape, 1.0f));
  }
  std::vector<NamedTensor> result;
  for (const ValueId id : architecture.weights()) {
    const auto found = tensors.find(name_of(id));
    if (found == tensors.end()) continue;
    result.push_back({found->first, found->second});
    tensors.erase(found);
  }
  for (const auto& [name, tensor] : tensors) result.push_back({name, tensor});
  return result;
}

}  // namespace edgelab::models
