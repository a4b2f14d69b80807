#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "models/safetensors/safetensors.hpp"

namespace edgelab::train {

// What optimizer and average keep between steps goes into checkpoints as named tensors.

// A whole number, as s64 [1].
models::NamedTensor number_tensor(std::string name, std::int64_t value);

// These throw Error (data) if the tensor is missing, or of another type or shape.
std::int64_t number_in(std::span<const models::NamedTensor> state, std::string_view name);
void copy_floats(std::span<const models::NamedTensor> state, std::string_view name, const Tensor& into);

}  // namespace edgelab::train
