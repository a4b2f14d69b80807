#include "compress/quantize/rescale.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "graph/passes/rewrite.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::compress {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using kernels::ActivationKind;
using kernels::Conv2d;

constexpr float kSix = 6.0f;
constexpr double kLeast = 1e-8;     // magnitudes below count as this
constexpr double kFarthest = 64.0;  // what a channel is scaled by at most
constexpr int kRounds = 20;         // a chain of layers settles

std::span<float> numbers_of(Graph& graph, ValueId id) {
  Tensor data = graph.value(id).data;
  return data.as<float>();
}

// The weights that read input channel c of a convolution: of a depthwise one a whole row.
struct Reading {
  std::span<float> weight;
  std::int64_t outputs, inputs, area;
  bool depthwise;

  Reading(Graph& graph, const Node& node)
      : weight(numbers_of(graph, node.inputs[1])), depthwise(node.op.as<Conv2d>()->groups > 1) {
    const Shape& shape = graph.type(node.inputs[1]).shape;
    outputs = shape[0], inputs = shape[1], area = shape[2] * shape[3];
  }
  template <class F> void each(std::int64_t channel, const F& f) const {
    const std::int64_t first = depthwise ? channel : 0, end = depthwise ? channel + 1 : outputs, input = depthwise ? 0 : channel;
    for (std::int64_t o = first; o < end; ++o) {
      for (std::int64_t i = 0; i < area; ++i) f(weight[static_cast<std::size_t>((o * inputs + input) * area + i)]);
    }
  }
  double largest(std::int64_t channel) const {
    float most = 0.0f;
    each(channel, [&](float& w) { most = std::max(most, std::abs(w)); });
    return static_cast<double>(most);
  }
};

struct Pair {
  const Node *first, *second;
};

// Convolutions of which the second alone reads the first, and which may be scaled against each other.
std::vector<Pair> pairs_of(const Graph& layers) {
  const auto consumers = graph::consumers_of(layers);
  const std::vector<int> uses = layers.use_counts();
  std::vector<Pair> pairs;
  for (const Node& node : layers.nodes()) {
    const auto* conv = node.op.as<Conv2d>();
    const auto at = static_cast<std::size_t>(node.outputs[0].index);
    // A layer that is watched is an output of the graph too.
    if (conv == nullptr || !conv->has_bias || conv->has_residual || conv->activation == ActivationKind::gelu || consumers[at].size() != 1 || uses[at] > 2) continue;
    const Node* reader = consumers[at].front();
    const auto* second = reader->op.as<Conv2d>();
    const bool grouped = second != nullptr && second->groups > 1 && layers.type(reader->inputs[1]).shape[1] != 1;
    if (second == nullptr || grouped || reader->inputs[0] != node.outputs[0]) continue;
    if (layers.outputs().front() == node.outputs[0]) continue;
    pairs.push_back({&node, reader});
  }
  return pairs;
}

}  // namespace

std::int64_t equalise(Graph& layers, const Observer& observer) {
  std::set<std::pair<const Node*, std::int64_t>> scaled;
  std::map<ValueId, std::vector<float>> reach;  // of each channel, as it becomes
  const std::vector<Pair> pairs = pairs_of(layers);
  for (int round = 0; round < kRounds; ++round) {
    for (const Pair& pair : pairs) {
      const auto weight = numbers_of(layers, pair.first->inputs[1]), bias = numbers_of(layers, pair.first->inputs[2]);
      const Reading reading(layers, *pair.second);
      const std::size_t channels = bias.size(), each = weight.size() / channels;
      const bool bounded = pair.first->op.as<Conv2d>()->activation == ActivationKind::relu6;
      auto& farthest = reach.try_emplace(pair.first->outputs[0], observer.of(pair.first->outputs[0]).largest).first->second;
      for (std::size_t c = 0; c < channels; ++c) {
        double here = 0.0;
        for (const float w : weight.subspan(c * each, each)) here = std::max(here, static_cast<double>(std::abs(w)));
        const double there = reading.largest(static_cast<std::int64_t>(c));
        if (here < kLeast || there < kLeast) continue;
        // w₁ / s, b₁ / s, w₂ · s: both reach √(r₁ r₂).
        double s = std::clamp(std::sqrt(here / there), 1.0 / kFarthest, kFarthest);
        if (bounded) {
          if (farthest[c] >= 0.99f * kSix) continue;
          s = std::max(s, static_cast<double>(farthest[c]) / (0.99 * static_cast<double>(kSix)));
        }
        const auto factor = static_cast<float>(s);
        if (std::abs(s - 1.0) < 1e-3) continue;
        for (float& w : weight.subspan(c * each, each)) w /= factor;
        bias[c] /= factor;
        farthest[c] /= factor;
        reading.each(static_cast<std::int64_t>(c), [&](float& w) { w *= factor; });
        scaled.emplace(pair.first, static_cast<std::int64_t>(c));
      }
    }
  }
  return static_cast<std::int64_t>(scaled.size());
}

std::int64_t smooth(Graph& layers, const Observer& observer, double alpha) {
  const auto consumers = graph::consumers_of(layers);
  std::int64_t changed = 0;
  for (const Node& node : layers.nodes()) {
    if (node.op.as<kernels::LayerNorm>() == nullptr) continue;
    const auto& readers = consumers[static_cast<std::size_t>(node.outputs[0].index)];
    const bool linear = !readers.empty() && std::ranges::all_of(readers, [&](const Node* reader) {
      return reader->op.as<kernels::Linear>() != nullptr && reader->inputs[0] == node.outputs[0] && layers.value(reader->inputs[1]).known();
    });
    if (!linear) continue;
    const auto gain = numbers_of(layers, node.inputs[1]), shift = numbers_of(layers, node.inputs[2]);
    const std::vector<float>& largest = observer.of(node.outputs[0]).largest;
    for (std::size_t k = 0; k < gain.size(); ++k) {
      float most = 0.0f;
      for (const Node* reader : readers) {
        const auto weight = numbers_of(layers, reader->inputs[1]);
        for (std::size_t at = k; at < weight.size(); at += gain.size()) most = std::max(most, std::abs(weight[at]));
      }
      const double x = std::max(kLeast, static_cast<double>(largest[k])), w = std::max(kLeast, static_cast<double>(most));
      const auto s = static_cast<float>(std::clamp(std::pow(x, alpha) / std::pow(w, 1.0 - alpha), 1.0 / kFarthest, kFarthest));
      gain[k] /= s, shift[k] /= s;
      for (const Node* reader : readers) {
        const auto weight = numbers_of(layers, reader->inputs[1]);
        for (std::size_t at = k; at < weight.size(); at += gain.size()) weight[at] *= s;
      }
    }
    ++changed;
  }
  return changed;
}

}  // namespace edgelab::compress
