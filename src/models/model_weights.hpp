#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/quantization.hpp"
#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

// What a file of weights holds, whoever wrote it: floats under the architecture's own names, and, of a quantized model, the grids
// that they lie on.
struct ModelWeights {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;
  graph::Quantization quantization;  // empty: not quantized
  std::string place;                 // what errors call the file
};

// A quantized file's integers as the floats they stand for, unfolded (unfold.hpp); any other file's tensors as they are. Throws
// Error (data) for a quantized file that contradicts itself.
ModelWeights model_weights(const Safetensors& file);

}  // namespace edgelab::models
