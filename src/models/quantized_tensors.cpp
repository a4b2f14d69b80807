#include "models/quantized_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "models/safetensors/header.hpp"

namespace edgelab::models {
namespace {

using graph::Grid;
using graph::LayerQuantization;
using graph::Quantization;
using nlohmann::json;

constexpr const char *kWeight = ".weight", *kScale = ".scale", *kInt4 = ".int4";
constexpr std::int64_t kMostExtent = std::int64_t{1} << 30;

json grid_json(const Grid& grid) { return {grid.scale, grid.zero_point}; }

// The numbers of a weight on its grid.
Tensor numbers_of(const Tensor& weight, const LayerQuantization& layer) {
  const Tensor real = weight.to_f32();
  Tensor numbers(DType::s8, real.shape());
  const auto from = real.as<float>();
  const auto to = numbers.as<std::int8_t>();
  const std::size_t each = from.size() / layer.weight_scale.size();
  const float most = layer.weight_bits == 4 ? 7.0f : 127.0f;
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(from[i] / layer.weight_scale[i / each]), -most, most));
  return numbers;
}

Tensor packed(const Tensor& numbers) {
  const auto from = numbers.as<std::int8_t>();
  Tensor result(DType::u8, {static_cast<std::int64_t>((from.size() + 1) / 2)});
  const auto to = result.as<std::uint8_t>();
  for (std::size_t i = 0; i < from.size(); ++i) to[i / 2] |= static_cast<std::uint8_t>((static_cast<unsigned>(from[i]) & 15u) << (i % 2 * 4));
  return result;
}

// One file's integers, and what may be wrong with them.
class Reader {
 public:
  Reader(std::vector<NamedTensor> tensors, const std::string& file) : file_(file) {
    for (NamedTensor& item : tensors) tensors_.emplace(item.name, std::move(item.tensor));
  }

  void read(const std::string& text, Quantization& quantization) {
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object() || !document.contains("layers") || !document["layers"].is_object()) damaged("its metadata entry is no JSON object with layers");
    for (const auto& [name, entry] : document["layers"].items()) quantization.layers.emplace(name, layer(name, entry));
    if (!document.contains("attentions")) return;
    if (!document["attentions"].is_object()) damaged("attentions is no JSON object");
    for (const auto& [name, entry] : document["attentions"].items()) {
      quantization.attentions.emplace(name, graph::AttentionQuantization{grid(name, entry, "queries"), grid(name, entry, "keys"), grid(name, entry, "values")});
    }
  }

  std::vector<NamedTensor> tensors() {
    std::vector<NamedTensor> result;
    for (auto& [name, tensor] : tensors_) result.push_back({name, std::move(tensor)});
    return result;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const { throw Error(ErrorKind::data, "the quantized model is damaged: " + what).at({file_}).hint("make it anew with task: quantize"); }

  Grid grid(const std::string& layer, const json& entry, const char* key) const {
    const json* list = entry.is_object() && entry.contains(key) ? &entry[key] : nullptr;
    if (list == nullptr || !list->is_array() || list->size() != 2 || !(*list)[0].is_number() || !(*list)[1].is_number_integer()) damaged(fmt::format("layer {}: no {}", shown(layer), key));
    const Grid read{(*list)[0].get<float>(), (*list)[1].get<std::int32_t>()};
    const bool fine = std::isfinite(read.scale) && read.scale > 0 && (*list)[1].get<double>() >= 0 && (*list)[1].get<double>() <= 255;
    if (!fine) damaged(fmt::format("layer {}: {} is {}, expected a positive scale and a zero point of 0 to 255", shown(layer), key, list->dump()));
    return read;
  }

  Tensor taken(const std::string& name, DType type) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) damaged(shown(name) + " is missing");
    if (found->second.dtype() != type) damaged(fmt::format("{} is {}, expected {}", shown(name), name_of(found->second.dtype()), name_of(type)));
    Tensor tensor = std::move(found->second);
    tensors_.erase(found);
    return tensor;
  }

  Shape shape(const std::string& layer, const json& entry) const {
    std::vector<std::int64_t> extents;
    std::int64_t all = 1;
    if (entry.contains("shape") && entry["shape"].is_array() && !entry["shape"].empty() && entry["shape"].size() <= static_cast<std::size_t>(Shape::kMaxRank)) {
      for (const json& extent : entry["shape"]) {
        const bool fine = extent.is_number_unsigned() && extent.get<std::uint64_t>() > 0 && extent.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMostExtent / all);
        if (!fine) damaged(fmt::format("layer {}: its shape", shown(layer)));
        extents.push_back(extent.get<std::int64_t>());
        all *= extents.back();
      }
      return Shape(std::span<const std::int64_t>(extents));
    }
    damaged(fmt::format("layer {}: no shape", shown(layer)));
  }

  Tensor unpacked(const std::string& layer, const json& entry) {
    const Tensor bytes = taken(layer + kWeight + kInt4, DType::u8);
    const Shape whole = shape(layer, entry);
    if ((whole.elements() + 1) / 2 != bytes.elements()) damaged(fmt::format("layer {}: {} bytes for {} numbers of 4 bits", shown(layer), bytes.elements(), whole.elements()));
    Tensor numbers(DType::s8, whole);
    const auto from = bytes.as<std::uint8_t>();
    const auto to = numbers.as<std::int8_t>();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<std::int8_t>(static_cast<int>(((from[i / 2] >> (i % 2 * 4)) & 15) ^ 8) - 8);
    return numbers;
  }

  LayerQuantization layer(const std::string& name, const json& entry) {
    LayerQuantization result;
    result.input = grid(name, entry, "input");
    const bool known = entry.contains("bits") && entry["bits"].is_number_integer() && (entry["bits"] == 4 || entry["bits"] == 8);
    if (!known) damaged(fmt::format("layer {}: bits, expected 4 or 8", shown(name)));
    result.weight_bits = entry["bits"].get<int>();
    const std::string weight = name + kWeight;
    const Tensor numbers = result.weight_bits == 4 ? unpacked(name, entry) : taken(weight, DType::s8), scale = taken(weight + kScale, DType::f32);
    if (numbers.shape().rank() == 0 || (scale.elements() != 1 && scale.elements() != numbers.shape()[0])) damaged(fmt::format("layer {}: {} scales", shown(name), scale.elements()));
    for (const float value : scale.as<float>()) {
      if (!std::isfinite(value) || value <= 0) damaged(fmt::format("layer {}: a scale of {}", shown(name), value));
      result.weight_scale.push_back(value);
    }
    Tensor real(DType::f32, numbers.shape());
    const std::size_t each = static_cast<std::size_t>(numbers.elements()) / result.weight_scale.size();
    for (std::size_t i = 0; i < static_cast<std::size_t>(numbers.elements()); ++i) real.as<float>()[i] = result.weight_scale[i / each] * static_cast<float>(numbers.as<std::int8_t>()[i]);
    tensors_.insert_or_assign(weight, real);
    return result;
  }

  const std::string& file_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace

std::vector<NamedTensor> with_integers(std::span<const NamedTensor> folded, const Quantization& quantization, std::map<std::string, std::string>& metadata) {
  std::map<std::string, Tensor> tensors;
  for (const NamedTensor& item : folded) tensors.emplace(item.name, item.tensor);
  json layers = json::object(), attentions = json::object();
  for (const auto& [name, layer] : quantization.layers) {
    const std::string weight = name + kWeight;
    const auto found = tensors.find(weight);
    if (found == tensors.end()) throw Error(ErrorKind::usage, "a quantized layer without a weight: " + name);
    const Tensor numbers = numbers_of(found->second, layer);
    tensors.erase(found);
    layers[name] = {{"bits", layer.weight_bits}, {"input", grid_json(layer.input)}};
    if (layer.weight_bits == 4) layers[name]["shape"] = std::vector<std::int64_t>(numbers.shape().extents().begin(), numbers.shape().extents().end());
    tensors.emplace(layer.weight_bits == 4 ? weight + kInt4 : weight, layer.weight_bits == 4 ? packed(numbers) : numbers);
    Tensor scale(DType::f32, {static_cast<std::int64_t>(layer.weight_scale.size())});
    std::ranges::copy(layer.weight_scale, scale.as<float>().begin());
    tensors.emplace(weight + kScale, scale);
  }
  for (const auto& [name, grids] : quantization.attentions) {
    attentions[name] = {{"queries", grid_json(grids.queries)}, {"keys", grid_json(grids.keys)}, {"values", grid_json(grids.values)}};
  }
  metadata[kQuantization] = json{{"layers", layers}, {"attentions", attentions}}.dump();
  std::vector<NamedTensor> result;
  for (const auto& [name, tensor] : tensors) result.push_back({name, tensor});
  return result;
}

std::vector<NamedTensor> without_integers(std::vector<NamedTensor> tensors, std::map<std::string, std::string>& metadata, Quantization& quantization, const std::string& file) {
  const auto entry = metadata.find(kQuantization);
  if (entry == metadata.end()) return tensors;
  Reader reader(std::move(tensors), file);
  reader.read(entry->second, quantization);
  metadata.erase(entry);
  return reader.tensors();
}

}  // namespace edgelab::models
