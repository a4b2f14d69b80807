#pragma once

#include <string>

#include "models/model.hpp"

namespace edgelab::test {

// A model of ten classes that a test can afford: MobileNetV2 of a tenth of the width at 32 px, or a transformer of this depth with
// three heads of 8 and 16 patches.
inline models::ModelOptions small_model(const std::string& arch, std::int64_t depth = 2) {
  models::ModelOptions options;
  options.arch = arch;
  options.classes = 10;
  if (arch == "mobilenet_v2") {
    options.width_mult = 0.1;
    options.input_size = 32;
  } else {
    options.img_size = 16;
    options.patch_size = 4;
    options.depth = depth;
    options.embed_dim = 24;
    options.num_heads = 3;
  }
  return options;
}

}  // namespace edgelab::test
