#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "support/golden_model.hpp"

// The cases of golden/make_golden.py, as edgelab draws them.
namespace edgelab::train::testing {

inline nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(std::string(EDGELAB_SOURCE_DIR "/tests/train/golden/") + name));
}

inline graph::Graph model_of(const nlohmann::json& item) {
  graph::Graph graph = models::build(edgelab::test::options_from(item["model"]), item["batch"].get<std::int64_t>());
  models::bind_random(graph, item["seed"].get<std::uint64_t>(), 2);
  return graph;
}

inline void draw_images(Tensor images, std::uint64_t seed, const std::string& name) {
  CounterRandom random(stream_key(seed, name));
  for (float& value : images.as<float>()) value = random.normal();
}

// Rows of one, divided by the batch: the sum of the losses is then their mean.
inline void set_targets(Tensor targets, std::int64_t first_label) {
  const std::int64_t rows = targets.shape()[0], classes = targets.shape()[1];
  const auto values = targets.as<float>();
  std::fill(values.begin(), values.end(), 0.0f);
  for (std::int64_t row = 0; row < rows; ++row) {
    values[static_cast<std::size_t>(row * classes + (row + first_label) % classes)] = 1.0f / static_cast<float>(rows);
  }
}

inline std::vector<std::string> all_parameters(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::ValueId id : graph.weights()) {
    if (graph.value(id).kind == graph::ValueKind::parameter) names.push_back(graph.value(id).name);
  }
  return names;
}

}  // namespace edgelab::train::testing
