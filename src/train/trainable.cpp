#include "train/trainable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/error.hpp"

namespace edgelab::train {

namespace {

// 16 of "blocks.16.norm1.bias" and "features.16.conv.0.0.weight".
std::optional<int> number_after(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return {};
  int number = 0;
  const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  return error == std::errc() && *end == '.' ? std::optional(number) : std::nullopt;
}

// The blocks of a model, counted along it. MobileNetV2's first and last feature are single convolutions.
struct Blocks {
  int first = 0, end = 0;  // the numbers that blocks bear
  std::string_view prefix;

  int count() const { return end - first; }
};

Blocks blocks_of(const graph::Graph& model) {
  int most_block = -1, most_feature = -1;
  for (const graph::ValueId id : model.weights()) {
    const std::string& name = model.value(id).name;
    most_block = std::max(most_block, number_after(name, "blocks.").value_or(-1));
    most_feature = std::max(most_feature, number_after(name, "features.").value_or(-1));
  }
  if (most_block >= 0) return {0, most_block + 1, "blocks."};
  return {1, std::max(1, most_feature), "features."};
}

bool is_adapter(std::string_view name) { return name.find(".lora_A.") != name.npos || name.find(".lora_B.") != name.npos; }

// The normalisation behind the last block of a vision transformer.
bool is_last_norm(std::string_view name) { return name.starts_with("norm."); }

}  // namespace

bool is_head(std::string_view parameter) {
  return parameter.starts_with("head.") || parameter.starts_with("head_dist.") || parameter.starts_with("classifier.");
}

std::vector<std::string> trainable_parameters(const graph::Graph& model, const TrainableSettings& settings) {
  using What = TrainableSettings::What;
  const Blocks blocks = blocks_of(model);
  if (settings.what == What::last && settings.last > blocks.count()) {
    throw Error(ErrorKind::usage, "trainable: the model has fewer blocks")
        .got(fmt::format("last:{}", settings.last))
        .expected(fmt::format("at most last:{}, or all", blocks.count()));
  }
  const auto moves = [&](const std::string& name) {
    switch (settings.what) {
      case What::all: return true;
      case What::head: return is_head(name);
      case What::lora: return is_adapter(name) || is_head(name);
      case What::last:
        return is_head(name) || is_last_norm(name) || number_after(name, blocks.prefix).value_or(-1) >= blocks.end - settings.last;
    }
    return true;
  };
  std::vector<std::string> names;
  for (const graph::ValueId id : model.weights()) {
    const graph::Value& value = model.value(id);
    if (value.kind == graph::ValueKind::parameter && moves(value.name)) names.push_back(value.name);
  }
  return names;
}

}  // namespace edgelab::train
