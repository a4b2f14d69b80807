#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/safetensors/safetensors.hpp"

// Tensors most of whose elements are zero, in a file. In the place of NAME stand
//   NAME.nonzero  U8 [⌈n/8⌉]: bit i mod 8, from the lowest, of byte i / 8 is 1 where element i (row-major) is not zero
//   NAME.values   those elements in their order, in the tensor's own type
// and the metadata entry kZeros is a JSON object of each such NAME's shape. (A list of the gaps between elements in a byte each
// would be smaller beyond 87 % zeros, by 5 % at 90; it was not worth a second form.)
namespace edgelab::models {

inline constexpr const char* kZeros = "edgelab.zeros_left_out";

// The tensors as they are written: those that become at least a tenth smaller without their zeros, so. Adds kZeros to the metadata
// if there are any. A NaN or a negative zero is no zero: what is read is what was written, to the bit.
std::vector<NamedTensor> without_zeros(std::span<const NamedTensor> tensors, std::map<std::string, std::string>& metadata);

// The other way: the tensors whole, those without their zeros first; kZeros is taken out of the metadata. Throws Error (data),
// naming `file`, if any of it contradicts itself.
std::vector<NamedTensor> with_zeros(std::vector<NamedTensor> tensors, std::map<std::string, std::string>& metadata, const std::string& file);

}  // namespace edgelab::models
