#pragma once

#include <vector>

#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

constexpr bool is_floating(DType type) { return type == DType::f32 || type == DType::f16 || type == DType::bf16; }

// The file's tensors with every floating-point one as `type` (f32, f16 or bf16; rounded to nearest even), the others as they
// are. Throws Error (data), naming the tensor, where a finite value becomes infinite: fp16 ends at 65,504. Throws Error
// (usage) for any other type.
std::vector<NamedTensor> converted(const Safetensors& file, DType type);

}  // namespace edgelab::models
