#include "compress/quantize/quantizer.hpp"

#include <algorithm>
#include <set>

#include "compress/quantize/weight_grid.hpp"

namespace edgelab::compress {
namespace {

using graph::Quantization;

bool kept(const QuantizerSettings& settings, const std::string& name) { return std::ranges::find(settings.keep, name) != settings.keep.end(); }

int bits_of(const QuantizableLayer& layer, const QuantizerSettings& settings) {
  return settings.weight_bits == 4 && !layer.depthwise && !layer.reads_image && !layer.classifies ? 4 : 8;
}

// The bias takes back what (rounded − weight) adds to each output's mean. Borders, where a filter reads padding, count as all else.
void correct(Tensor bias, const Tensor& weight, const Tensor& rounded, const QuantizableLayer& layer, const Observation& seen) {
  const auto outputs = static_cast<std::size_t>(weight.shape()[0]), each = weight.as<float>().size() / outputs;
  const std::size_t area = each / static_cast<std::size_t>(layer.inputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    double shift = 0.0;
    for (std::size_t i = 0; i < each; ++i) {
      const double change = static_cast<double>(rounded.as<float>()[o * each + i]) - static_cast<double>(weight.as<float>()[o * each + i]);
      shift += change * seen.mean(layer.depthwise ? o : i / area);
    }
    bias.as<float>()[o] -= static_cast<float>(shift);
  }
}

}  // namespace

Quantization quantized(const Observer& observer, const QuantizerSettings& settings) {
  const graph::Graph& layers = observer.graph();
  require_layers(layers, settings.keep, "keep_fp32");
  Quantization result;
  std::set<graph::ValueId> done;  // weights that several layers share are rounded once
  for (const QuantizableLayer& layer : quantizable(layers)) {
    if (kept(settings, layer.name)) continue;
    const Observation& seen = observer.of(layer.input);
    Tensor weight = layers.value(layer.weight).data;
    const int bits = bits_of(layer, settings);
    if (!done.insert(layer.weight).second) continue;
    graph::LayerQuantization entry{chosen_grid(seen.numbers, settings.ranges), bits, weight_scales(weight, bits, settings.per_channel)};
    const Tensor before = settings.correct_bias ? weight.clone() : Tensor();
    put_on_grid(weight, entry.weight_scale, bits);
    if (settings.correct_bias && layer.bias.valid()) correct(layers.value(layer.bias).data, before, weight, layer, seen);
    result.layers.emplace(layer.name, std::move(entry));
  }
  for (const graph::Node* attention : quantizable_attentions(layers)) {
    if (!settings.attention || kept(settings, attention->name)) continue;
    const auto grid = [&](std::size_t third) { return chosen_grid(observer.part(attention->inputs[0], third), settings.ranges); };
    result.attentions.emplace(attention->name, graph::AttentionQuantization{grid(0), grid(1), grid(2)});
  }
  return result;
}

}  // namespace edgelab::compress
