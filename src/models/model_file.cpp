#include "models/model_file.hpp"

#include "graph/passes/passes.hpp"
#include "models/model_metadata.hpp"
#include "models/quantized_tensors.hpp"
#include "models/reshape.hpp"
#include "models/safetensors/zeros.hpp"
#include "models/unfold.hpp"
#include "models/weights.hpp"

namespace edgelab::models {

namespace {

std::map<std::string, std::string> metadata_with_shapes(const ModelOptions& options, const Shapes& shapes) {
  std::map<std::string, std::string> metadata = metadata_of(options);
  if (shapes != shapes_of(build(options, 1))) metadata[kPrunedShapes] = "true";
  return metadata;
}

}  // namespace

std::vector<std::uint8_t> model_file(const graph::Graph& model, const ModelOptions& options) {
  std::map<std::string, std::string> metadata = metadata_with_shapes(options, shapes_of(model));
  const std::vector<NamedTensor> tensors = without_zeros(named_weights(model), metadata);
  return safetensors_bytes(tensors, metadata);
}

std::vector<std::uint8_t> quantized_model_file(const graph::Graph& model, const ModelOptions& options, const graph::Quantization& quantization) {
  const std::vector<NamedTensor> folded = named_weights(graph::fold_weights(model));
  Shapes shapes;
  for (const NamedTensor& item : unfolded(build(options, 1), folded)) shapes.emplace(item.name, item.tensor.shape());
  std::map<std::string, std::string> metadata = metadata_with_shapes(options, shapes);
  const std::vector<NamedTensor> tensors = without_zeros(with_integers(folded, quantization, metadata), metadata);
  return safetensors_bytes(tensors, metadata);
}

}  // namespace edgelab::models
