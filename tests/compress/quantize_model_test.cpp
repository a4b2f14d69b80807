// Whole models: what calibration sees, rescaling, grids, and the graph that training for integers works on.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "compress/quantize/aware.hpp"
#include "compress/quantize/quantizer.hpp"
#include "compress/quantize/rescale.hpp"
#include "core/error.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "support/random_tensor.hpp"
#include "support/small_model.hpp"

namespace edgelab::compress {
namespace {

graph::Graph model_of(const std::string& arch, std::int64_t batch = 2) {
  graph::Graph graph = models::build(test::small_model(arch), batch);
  models::bind_random(graph, 7);
  return graph::fold_weights(graph);
}

// With weights of its own: an observer of it, and what works on that, changes them.
graph::Graph copy_of(graph::Graph graph) {
  for (const graph::ValueId id : graph.weights()) graph.bind(id, graph.value(id).data.clone());
  return graph;
}

// All outputs, by the plain references.
std::vector<Tensor> outputs_of(const graph::Graph& graph, const Tensor& images) {
  std::vector<Tensor> values;
  for (const graph::Value& value : graph.values()) values.push_back(value.data);
  const auto at = [&](graph::ValueId id) -> Tensor& { return values[static_cast<std::size_t>(id.index)]; };
  at(graph.inputs().front()) = images;
  for (const graph::Node& node : graph.nodes()) {
    std::vector<Tensor> inputs;
    for (const graph::ValueId id : node.inputs) inputs.push_back(at(id));
    const std::vector<Tensor> outputs = kernels::evaluate_reference(node.op, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) at(node.outputs[i]) = outputs[i];
  }
  std::vector<Tensor> result;
  for (const graph::ValueId id : graph.outputs()) result.push_back(at(id));
  return result;
}

Tensor images_for(const graph::Graph& graph, std::uint64_t seed = 1) { return test::random_tensor(graph.type(graph.inputs().front()).shape, seed); }

void show(Observer& observer, int times = 1) {
  for (int i = 0; i < times; ++i) {
    const Tensor images = images_for(observer.graph(), 1 + static_cast<std::uint64_t>(i));
    observer.note(images, outputs_of(observer.graph(), images), images.shape()[0], 2);
  }
}

// Signal over noise, dB.
double snr(const Tensor& got, const Tensor& want) {
  double signal = 0.0, noise = 0.0;
  for (std::size_t i = 0; i < want.as<float>().size(); ++i) {
    const double w = static_cast<double>(want.as<float>()[i]), d = static_cast<double>(got.as<float>()[i]) - w;
    signal += w * w, noise += d * d;
  }
  return 10.0 * std::log10(signal / noise);
}

TEST(Observer, SeesWhatLayersReadAndRanksAddUp) {
  const graph::Graph model = model_of("vit_tiny_patch16_224");
  Observer whole(model), first(model), second(model);
  show(whole, 2);
  const Tensor a = images_for(model, 1), b = images_for(model, 2);
  first.note(a, outputs_of(first.graph(), a), 2, 1);
  second.note(b, outputs_of(second.graph(), b), 2, 1);
  first.add(second.packed());
  EXPECT_EQ(first.packed(), whole.packed());
  const std::vector<QuantizableLayer> layers = quantizable(whole.graph());
  ASSERT_EQ(layers.size(), 1u + 2 * 4 + 1);
  EXPECT_TRUE(layers.front().reads_image);
  EXPECT_TRUE(layers.back().classifies);
  const Observation& images = whole.of(layers.front().input);
  EXPECT_EQ(images.numbers.count(), 2 * a.elements());
  EXPECT_EQ(images.sum.size(), 3u);
  // Queries, keys and values together are all that the layer gave.
  const graph::ValueId packed = quantizable_attentions(whole.graph()).front()->inputs[0];
  std::int64_t thirds = 0;
  for (std::size_t i = 0; i < 3; ++i) thirds += whole.part(packed, i).count();
  EXPECT_EQ(thirds, whole.of(packed).numbers.count());
}

TEST(Observer, NumbersThatAreNoneAreSaid) {
  Observer observer(model_of("mobilenet_v2"));
  Tensor images = images_for(observer.graph());
  images.as<float>()[3] = NAN;
  EXPECT_THROW(observer.note(images, outputs_of(observer.graph(), images), 2, 1), Error);
}

TEST(Rescale, LeavesTheAnswersAloneAndEvensTheWeights) {
  for (const std::string arch : {"mobilenet_v2", "vit_tiny_patch16_224"}) {
    const graph::Graph model = copy_of(model_of(arch));
    Observer observer(model);
    show(observer, 2);
    const Tensor images = images_for(model, 1), before = outputs_of(model, images).front();
    graph::Graph layers = observer.graph();
    const std::int64_t changed = arch == "mobilenet_v2" ? equalise(layers, observer) : smooth(layers, observer, 0.5);
    EXPECT_GT(changed, 3) << arch;
    EXPECT_GT(snr(outputs_of(layers, images).front(), before), 90.0) << arch;
  }
}

TEST(Rescale, SmoothingMakesAnActivationWithAnOutlierEasier) {
  const graph::Graph model = copy_of(model_of("vit_tiny_patch16_224"));
  for (const graph::ValueId id : model.weights()) {
    Tensor data = model.value(id).data;
    if (model.value(id).name == "blocks.0.norm1.weight") data.as<float>()[5] *= 200.0f;
    if (model.value(id).name == "blocks.0.attn.qkv.weight") {
      for (std::size_t at = 5; at < data.as<float>().size(); at += 24) data.as<float>()[at] /= 200.0f;
    }
  }
  const auto quality = [&](bool smoothed) {
    const graph::Graph mine = copy_of(model);
    Observer observer(mine);
    show(observer, 2);
    if (smoothed) {
      graph::Graph layers = observer.graph();
      smooth(layers, observer, 0.5);
      observer = Observer(mine);
      show(observer, 2);
    }
    const Tensor images = images_for(model, 1), want = outputs_of(model, images).front();
    const graph::Quantization quantization = quantized(observer, {});
    return snr(outputs_of(graph::quantized_layers(mine, quantization), images).front(), want);
  };
  EXPECT_GT(quality(true), quality(false) + 3.0);
}

TEST(Quantizer, IntegersAnswerAlmostAsFloatsDo) {
  for (const std::string arch : {"mobilenet_v2", "vit_tiny_patch16_224"}) {
    const graph::Graph model = model_of(arch);
    const Tensor images = images_for(model, 1), want = outputs_of(model, images).front();
    std::map<std::string, double> quality;
    for (const auto& [name, settings] : std::map<std::string, QuantizerSettings>{
             {"int8", {}}, {"affine", {{RangeMethod::minmax, 99.99, false}}}, {"mse", {{RangeMethod::mse}}}, {"kl", {{RangeMethod::kl}}},
             {"percentile", {{RangeMethod::percentile}}}, {"one scale", {{}, 8, false}}, {"int4", {{}, 4}}}) {
      const graph::Graph mine = copy_of(model);
      Observer observer(mine);
      show(observer, 2);
      const graph::Quantization quantization = quantized(observer, settings);
      quality[name] = snr(outputs_of(graph::quantized_layers(mine, quantization), images).front(), want);
    }
    EXPECT_GT(quality["int8"], 14.0) << arch;
    EXPECT_GT(quality["affine"], 14.0) << arch;
    EXPECT_GT(quality["mse"], 14.0) << arch;
    EXPECT_GT(quality["percentile"], 10.0) << arch;
    EXPECT_LT(quality["int4"], quality["int8"]) << arch;
    EXPECT_LT(quality["one scale"], quality["int8"] + 3.0) << arch;
  }
}

TEST(Quantizer, KeepsWhatItIsToldToAndRefusesNamesOfNothing) {
  const graph::Graph model = model_of("vit_tiny_patch16_224");
  Observer observer(model);
  show(observer);
  QuantizerSettings settings;
  settings.keep = {"head", "blocks.0.attn", "blocks.1.mlp.fc2"};
  observer.own_weights();
  const graph::Quantization quantization = quantized(observer, settings);
  EXPECT_FALSE(quantization.layers.contains("head"));
  EXPECT_FALSE(quantization.layers.contains("blocks.1.mlp.fc2"));
  EXPECT_TRUE(quantization.layers.contains("blocks.1.mlp.fc1"));
  EXPECT_FALSE(quantization.attentions.contains("blocks.0.attn"));
  EXPECT_TRUE(quantization.attentions.contains("blocks.1.attn"));
  settings.keep = {"blocks.0.atn"};
  try {
    quantized(observer, settings);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("blocks.0.attn"), std::string::npos) << error.what();
  }
}

TEST(Quantizer, FourBitsSpareWhatHasFewWeights) {
  Observer observer(model_of("mobilenet_v2"));
  show(observer);
  QuantizerSettings settings;
  settings.weight_bits = 4;
  const graph::Quantization quantization = quantized(observer, settings);
  for (const QuantizableLayer& layer : quantizable(observer.graph())) {
    EXPECT_EQ(quantization.layers.at(layer.name).weight_bits, layer.depthwise || layer.reads_image || layer.classifies ? 8 : 4) << layer.name;
  }
}

TEST(Quantizer, CorrectedBiasesKeepTheMeanOfALayer) {
  const graph::Graph model = model_of("mobilenet_v2");
  const auto mean_error = [&](bool correct) {
    Observer observer(model), floats(model);
    observer.own_weights(), floats.own_weights();
    show(observer, 4), show(floats, 4);
    QuantizerSettings settings;
    settings.weight_bits = 4;
    settings.correct_bias = correct;
    quantized(observer, settings);
    // The last convolution's own error of its mean: float inputs through its rounded weights.
    const std::vector<QuantizableLayer> layers = quantizable(observer.graph());
    const QuantizableLayer& layer = layers[layers.size() - 2];
    const auto weight = observer.graph().value(layer.weight).data.as<float>(), was = floats.graph().value(layer.weight).data.as<float>();
    const auto bias = observer.graph().value(layer.bias).data.as<float>(), bias_was = floats.graph().value(layer.bias).data.as<float>();
    const Observation& seen = floats.of(layer.input);
    double sum = 0.0;
    const std::size_t inputs = static_cast<std::size_t>(layer.inputs);
    for (std::size_t o = 0; o < bias.size(); ++o) {
      double change = static_cast<double>(bias[o] - bias_was[o]);
      for (std::size_t i = 0; i < inputs; ++i) change += static_cast<double>(weight[o * inputs + i] - was[o * inputs + i]) * seen.mean(i);
      sum += std::abs(change);
    }
    return sum;
  };
  EXPECT_LT(mean_error(true), 0.01 * mean_error(false));
}

TEST(Aware, TheGraphComputesWhatIntegersWouldAndKeepsItsGrids) {
  for (const std::string arch : {"mobilenet_v2", "vit_tiny_patch16_224"}) {
    const graph::Graph model = model_of(arch);
    const graph::Graph mine = copy_of(model);
    Observer observer(mine);
    show(observer, 2);
    QuantizerSettings settings;
    settings.attention = false;
    const graph::Quantization quantization = quantized(observer, settings);
    const graph::Graph aware = with_fake_quantization(model, quantization);
    const Tensor images = images_for(model, 1), want = outputs_of(model, images).front();
    const Tensor integers = outputs_of(graph::quantized_layers(mine, quantization), images).front();
    EXPECT_GT(snr(outputs_of(aware, images).front(), integers), snr(want, integers) + 3.0) << arch << ": nearer to the integers than the floats are";
    const graph::Quantization learned = learned_quantization(aware, quantization);
    ASSERT_EQ(learned.layers.size(), quantization.layers.size());
    for (const auto& [name, layer] : quantization.layers) {
      EXPECT_NEAR(learned.layers.at(name).input.scale, layer.input.scale, 1e-5f * layer.input.scale) << name;
      for (std::size_t o = 0; o < layer.weight_scale.size(); ++o) EXPECT_NEAR(learned.layers.at(name).weight_scale[o], layer.weight_scale[o], 1e-5f * layer.weight_scale[o]);
    }
    // The model's own weights come first, in their order.
    for (std::size_t i = 0; i < model.weights().size(); ++i) EXPECT_EQ(aware.value(aware.weights()[i]).name, model.value(model.weights()[i]).name);
  }
}

}  // namespace
}  // namespace edgelab::compress
