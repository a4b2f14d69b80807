// Quantized models in files: integers and back, and names that others know.
#include "models/quantized_tensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "graph/passes/passes.hpp"
#include "models/model_file.hpp"
#include "models/model_weights.hpp"
#include "models/random_weights.hpp"
#include "models/reshape.hpp"
#include "models/unfold.hpp"
#include "models/weights.hpp"
#include "support/made_up_grids.hpp"
#include "support/small_model.hpp"

namespace edgelab::models {
namespace {

Safetensors opened(const std::vector<std::uint8_t>& file) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
  return Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "a file");
}

// Scales of weights as they would be; grids of activations as they come.
graph::Quantization grids(const graph::Graph& model, int bits) {
  graph::Quantization quantization = test::quantization_of(test::layers_of(model), [](graph::ValueId id) { return graph::Grid{0.01f + 0.001f * static_cast<float>(id.index), id.index % 256}; }, bits);
  if (!quantization.attentions.empty()) quantization.layers.erase("head");  // and one that stays
  return quantization;
}

TEST(QuantizedTensors, AModelComesBackWithItsGridsAndItsWeightsOnThem) {
  for (const std::string arch : {"mobilenet_v2", "deit3_small_patch16_224", "deit_tiny_distilled_patch16_224"}) {
    for (const int bits : {8, 4}) {
      graph::Graph model = build(test::small_model(arch), 1);
      bind_random(model, 3);
      const graph::Quantization quantization = grids(model, bits);
      const std::vector<std::uint8_t> file = quantized_model_file(model, test::small_model(arch), quantization);
      EXPECT_LT(file.size(), model_file(model, test::small_model(arch)).size() / 2);
      const ModelWeights read = model_weights(opened(file));
      EXPECT_EQ(read.quantization, quantization) << arch;
      graph::Graph again = build(test::small_model(arch), 1);
      models::bind(again, read);
      // Folded, both have the same numbers, but for those that were rounded to their grids.
      std::map<std::string, Tensor> before;
      for (const NamedTensor& item : named_weights(graph::fold_weights(model))) before.emplace(item.name, item.tensor);
      for (const NamedTensor& item : named_weights(graph::fold_weights(again))) {
        const Tensor& was = before.at(item.name);
        const std::string layer = item.name.substr(0, item.name.size() - std::min<std::size_t>(item.name.size(), 7));
        const bool rounded = item.name.ends_with(".weight") && quantization.layers.contains(layer);
        const std::size_t each = rounded ? was.as<float>().size() / quantization.layers.at(layer).weight_scale.size() : 1;
        for (std::size_t i = 0; i < was.as<float>().size(); ++i) {
          const float scale = rounded ? quantization.layers.at(layer).weight_scale[i / each] : 0.0f;
          ASSERT_NEAR(item.tensor.as<float>()[i], was.as<float>()[i], 0.501f * scale + 1e-6f * std::abs(was.as<float>()[i])) << arch << " " << item.name;
        }
      }
      // Written again it is the same file: rounded numbers stay where they are.
      EXPECT_EQ(quantized_model_file(again, test::small_model(arch), read.quantization), file) << arch << ", " << bits << " bits";
    }
  }
}

TEST(QuantizedTensors, ZerosAreLeftOutOfIntegersTooAndPrunedShapesAreSaid) {
  graph::Graph model = build(test::small_model("mobilenet_v2"), 1);
  bind_random(model, 3);
  const std::size_t dense = quantized_model_file(model, test::small_model("mobilenet_v2"), grids(model, 8)).size();
  for (const graph::ValueId id : model.weights()) {
    if (model.type(id).shape.rank() != 4) continue;
    Tensor sparse = model.value(id).data.clone();
    for (std::size_t i = 0; i < sparse.as<float>().size(); ++i) sparse.as<float>()[i] *= i % 10 == 0 ? 1.0f : 0.0f;
    model.bind(id, sparse);
  }
  const std::vector<std::uint8_t> file = quantized_model_file(model, test::small_model("mobilenet_v2"), grids(model, 8));
  EXPECT_LT(file.size(), dense * 3 / 4);
  EXPECT_FALSE(opened(file).metadata().contains(kPrunedShapes));
  const ModelWeights read = model_weights(opened(file));
  graph::Graph again = build(test::small_model("mobilenet_v2"), 1);
  EXPECT_NO_THROW(models::bind(again, read));

  Shapes shapes;
  for (const char* part : {"weight", "bias"}) shapes[std::string("blocks.0.mlp.fc1.") + part] = part == std::string("weight") ? Shape{40, 24} : Shape{40};
  shapes["blocks.0.mlp.fc2.weight"] = {24, 40};
  graph::Graph narrow = reshaped(build(test::small_model("vit_tiny_patch16_224"), 1), shapes);
  bind_random(narrow, 3);
  const ModelWeights pruned = model_weights(opened(quantized_model_file(narrow, test::small_model("vit_tiny_patch16_224"), grids(narrow, 8))));
  EXPECT_EQ(with_shapes_of(build(test::small_model("vit_tiny_patch16_224"), 2), pruned).flop(), 2 * narrow.flop());
}

TEST(QuantizedTensors, DamageIsSaidAndNeverRead) {
  graph::Graph model = build(test::small_model("vit_tiny_patch16_224"), 1);
  bind_random(model, 3);
  for (const int bits : {8, 4}) {
    std::map<std::string, std::string> metadata;
    const std::vector<NamedTensor> tensors = with_integers(named_weights(graph::fold_weights(model)), grids(model, bits), metadata);
    const auto reads = [&](const std::vector<NamedTensor>& list, const std::string& text) {
      std::map<std::string, std::string> changed = {{kQuantization, text}};
      graph::Quantization quantization;
      without_integers(list, changed, quantization, "a file");
    };
    const std::string text = metadata.at(kQuantization);
    EXPECT_NO_THROW(reads(tensors, text));
    using Change = std::function<void(nlohmann::json&)>;
    const std::string layer = "blocks.0.attn.qkv";
    const Change changes[] = {
        [](nlohmann::json& json) { json.erase("layers"); },
        [](nlohmann::json& json) { json["layers"] = 3; },
        [](nlohmann::json& json) { json["attentions"] = 3; },
        [&](nlohmann::json& json) { json["layers"]["nothing"] = json["layers"][layer]; },
        [&](nlohmann::json& json) { json["layers"][layer]["bits"] = 5; },
        [&](nlohmann::json& json) { json["layers"][layer]["bits"] = bits == 8 ? 4 : 8; },
        [&](nlohmann::json& json) { json["layers"][layer]["input"] = {0.0, 3}; },
        [&](nlohmann::json& json) { json["layers"][layer]["input"] = {1.0, 256}; },
        [&](nlohmann::json& json) { json["layers"][layer]["input"] = {1.0, 4294967296}; },
        [&](nlohmann::json& json) { json["layers"][layer]["input"] = {1e300, 0}; },
        [&](nlohmann::json& json) { json["layers"][layer].erase("input"); },
        [](nlohmann::json& json) { json["attentions"]["blocks.0.attn"].erase("keys"); },
    };
    for (std::size_t i = 0; i < std::size(changes); ++i) {
      nlohmann::json json = nlohmann::json::parse(text);
      changes[i](json);
      EXPECT_THROW(reads(tensors, json.dump()), Error) << bits << " bits, change " << i;
    }
    if (bits == 4) {
      for (const nlohmann::json& shape : {nlohmann::json{1, 2}, nlohmann::json{-1, 5}, nlohmann::json::array(), nlohmann::json{1LL << 40, 1LL << 40}, nlohmann::json("x")}) {
        nlohmann::json json = nlohmann::json::parse(text);
        json["layers"][layer]["shape"] = shape;
        EXPECT_THROW(reads(tensors, json.dump()), Error) << shape.dump();
      }
    }
    for (const std::string& name : {layer + ".weight.scale", layer + (bits == 4 ? ".weight.int4" : ".weight")}) {
      std::vector<NamedTensor> fewer = tensors;
      std::erase_if(fewer, [&](const NamedTensor& item) { return item.name == name; });
      EXPECT_THROW(reads(fewer, text), Error) << name;
      fewer.push_back({name, Tensor(DType::f32, {1})});  // a scale of 0, or floats where integers are due
      EXPECT_THROW(reads(fewer, text), Error) << name;
    }
    EXPECT_THROW(reads(tensors, "no JSON"), Error);
  }
}

TEST(Unfold, AFoldedModelBindsUnderTheArchitecturesNamesAndFoldsToTheSame) {
  for (const std::string arch : {"mobilenet_v2", "deit3_small_patch16_224"}) {
    graph::Graph model = build(test::small_model(arch), 1);
    bind_random(model, 3);
    const std::vector<NamedTensor> folded = named_weights(graph::fold_weights(model));
    graph::Graph again = build(test::small_model(arch), 1);
    ASSERT_NO_THROW(models::bind(again, unfolded(again, folded), "unfolded"));
    const std::vector<NamedTensor> twice = named_weights(graph::fold_weights(again));
    ASSERT_EQ(twice.size(), folded.size());
    for (std::size_t i = 0; i < folded.size(); ++i) {
      EXPECT_EQ(twice[i].name, folded[i].name);
      for (std::size_t e = 0; e < folded[i].tensor.as<float>().size(); ++e) ASSERT_FLOAT_EQ(twice[i].tensor.as<float>()[e], folded[i].tensor.as<float>()[e]) << folded[i].name;
    }
  }
}

}  // namespace
}  // namespace edgelab::models
