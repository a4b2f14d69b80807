#include "models/model_file.hpp"

#include "models/model_metadata.hpp"
#include "models/reshape.hpp"
#include "models/safetensors/zeros.hpp"
#include "models/weights.hpp"

namespace edgelab::models {

std::vector<std::uint8_t> model_file(const graph::Graph& model, const ModelOptions& options) {
  std::map<std::string, std::string> metadata = metadata_of(options);
  if (shapes_of(model) != shapes_of(build(options, 1))) metadata[kPrunedShapes] = "true";
  const std::vector<NamedTensor> tensors = without_zeros(named_weights(model), metadata);
  return safetensors_bytes(tensors, metadata);
}

}  // namespace edgelab::models
