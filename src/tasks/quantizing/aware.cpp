#include "tasks/quantizing/aware.hpp"

#include <algorithm>

#include "compress/quantize/aware.hpp"
#include "compress/quantize/weight_grid.hpp"
#include "graph/passes/passes.hpp"
#include "models/reshape.hpp"
#include "models/unfold.hpp"
#include "models/weights.hpp"

namespace edgelab::tasks {

graph::Graph graph_for_integers(const graph::Graph& model, const graph::Quantization& quantization) {
  return compress::with_fake_quantization(graph::fold_weights(model), quantization);
}

BoundModel finished_for_integers(const graph::Graph& trained, const graph::Quantization& before, const models::ModelOptions& options, std::int64_t batch) {
  BoundModel result;
  result.quantization = compress::learned_quantization(trained, before);
  std::vector<models::NamedTensor> folded = models::named_weights(trained);
  std::erase_if(folded, [](const models::NamedTensor& item) { return compress::is_learned_scale(item.name); });
  for (models::NamedTensor& item : folded) {
    item.tensor = item.tensor.clone();
    if (!item.name.ends_with(".weight")) continue;
    const auto layer = result.quantization.layers.find(item.name.substr(0, item.name.size() - 7));
    if (layer != result.quantization.layers.end()) compress::put_on_grid(item.tensor, layer->second.weight_scale, layer->second.weight_bits);
  }
  result.graph = with_folded_weights(folded, options, batch);
  return result;
}

graph::Graph with_folded_weights(std::span<const models::NamedTensor> folded, const models::ModelOptions& options, std::int64_t batch) {
  const graph::Graph architecture = models::build(options, batch);
  const std::vector<models::NamedTensor> unfolded = models::unfolded(architecture, folded);
  models::Shapes shapes;
  for (const models::NamedTensor& item : unfolded) shapes.emplace(item.name, item.tensor.shape());
  graph::Graph model = models::reshaped(architecture, shapes);
  models::bind(model, unfolded, "the folded model");
  return model;
}

}  // namespace edgelab::tasks
