#include "models/model_weights.hpp"

#include "models/model.hpp"
#include "models/model_metadata.hpp"
#include "models/quantized_tensors.hpp"
#include "models/unfold.hpp"

namespace edgelab::models {

ModelWeights model_weights(const Safetensors& file) {
  ModelWeights result{file.tensors(), file.metadata(), {}, file.path().string()};
  if (!result.metadata.contains(kQuantization)) return result;
  result.tensors = without_integers(std::move(result.tensors), result.metadata, result.quantization, result.place);
  result.tensors = unfolded(build(options_of(result.metadata), 1), result.tensors);
  return result;
}

}  // namespace edgelab::models
