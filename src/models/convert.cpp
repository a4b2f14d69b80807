#include "models/convert.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "core/error.hpp"
#include "models/safetensors/header.hpp"

namespace edgelab::models {

namespace {

Tensor narrowed(const Tensor& wide, DType type, const std::string& name, const std::string& file) {
  Tensor narrow(type, wide.shape());
  const auto values = wide.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t bits = type == DType::f16 ? float_to_f16(values[i]) : float_to_bf16(values[i]);
    const float back = type == DType::f16 ? f16_to_float(bits) : bf16_to_float(bits);
    if (std::isinf(back) && std::isfinite(values[i])) {
      throw Error(ErrorKind::data, fmt::format("tensor {} does not fit into {}", shown(name), name_of(type)))
          .at({file}).got(fmt::format("{}", values[i])).hint("bf16 has the range of fp32");
    }
    std::memcpy(narrow.data() + 2 * i, &bits, 2);
  }
  return narrow;
}

}  // namespace

std::vector<NamedTensor> converted(const Safetensors& file, DType type) {
  if (!is_floating(type)) {
    throw Error(ErrorKind::usage, "weights can't be converted to this type").got(std::string(name_of(type))).expected("fp32, fp16 or bf16");
  }
  std::vector<NamedTensor> result;
  for (const NamedTensor& item : file.tensors()) {
    if (!is_floating(item.tensor.dtype()) || item.tensor.dtype() == type) {
      result.push_back(item);
    } else if (type == DType::f32) {
      result.push_back({item.name, item.tensor.to_f32()});
    } else {
      result.push_back({item.name, narrowed(item.tensor.to_f32(), type, item.name, file.path().string())});
    }
  }
  return result;
}

}  // namespace edgelab::models
