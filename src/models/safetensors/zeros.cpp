#include "models/safetensors/zeros.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "models/safetensors/header.hpp"

namespace edgelab::models {
namespace {

constexpr std::string_view kMask = ".nonzero", kValues = ".values";

bool is_zero(const std::byte* element, std::size_t size) {
  return std::all_of(element, element + size, [](std::byte byte) { return byte == std::byte{0}; });
}

// Mask and values, if they take at most nine tenths of the tensor's bytes.
std::optional<std::pair<Tensor, Tensor>> split(const Tensor& tensor) {
  const auto n = static_cast<std::size_t>(tensor.elements()), size = size_of(tensor.dtype());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; ++i) kept += is_zero(tensor.data() + i * size, size) ? 0 : 1;
  if (10 * ((n + 7) / 8 + kept * size) > 9 * n * size) return std::nullopt;
  Tensor mask(DType::u8, {static_cast<std::int64_t>((n + 7) / 8)}), values(tensor.dtype(), {static_cast<std::int64_t>(kept)});
  std::byte* to = values.data();
  for (std::size_t i = 0; i < n; ++i) {
    const std::byte* element = tensor.data() + i * size;
    if (is_zero(element, size)) continue;
    mask.as<std::uint8_t>()[i / 8] |= static_cast<std::uint8_t>(1u << (i % 8));
    std::memcpy(to, element, size);
    to += size;
  }
  return std::pair(mask, values);
}

[[noreturn]] void damaged(const std::string& file, const std::string& what) {
  throw Error(ErrorKind::data, "tensors without their zeros are damaged: " + what).at({file});
}

// The shapes that the metadata names. Numbers are checked by whoever uses them.
std::map<std::string, Shape> shapes_in(const std::string& text, const std::string& file) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) damaged(file, std::string(kZeros) + " is no JSON object");
  std::map<std::string, Shape> shapes;
  for (const auto& [name, extents] : json.items()) {
    if (!extents.is_array() || extents.size() > static_cast<std::size_t>(Shape::kMaxRank)) damaged(file, "the shape of " + shown(name));
    std::vector<std::int64_t> list;
    for (const auto& extent : extents) {
      if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > (std::uint64_t{1} << 40)) damaged(file, "the shape of " + shown(name));
      list.push_back(extent.get<std::int64_t>());
    }
    shapes.emplace(name, Shape(std::span<const std::int64_t>(list)));
  }
  return shapes;
}

// Product of the extents, or nothing where it is more than the mask can speak of.
bool fits(const Shape& shape, const Tensor& mask) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape.extents()) {
    if (__builtin_mul_overflow(elements, extent, &elements)) return false;
  }
  return mask.dtype() == DType::u8 && mask.shape().rank() == 1 && (elements + 7) / 8 == mask.elements();
}

Tensor joined(const std::string& name, const Shape& shape, const Tensor& mask, const Tensor& values, const std::string& file) {
  if (!fits(shape, mask)) damaged(file, shown(name) + " has a mask of another size");
  const auto bits = mask.as<std::uint8_t>();
  std::int64_t kept = 0;
  for (const std::uint8_t byte : bits) kept += std::popcount(byte);
  const std::int64_t beyond = 8 * mask.elements() - shape.elements();
  if (beyond > 0 && (bits.back() >> (8 - beyond)) != 0) damaged(file, "the mask of " + shown(name) + " goes on behind its end");
  if (kept != values.elements()) damaged(file, fmt::format("{} has {} values, and a mask of {}", shown(name), values.elements(), kept));
  Tensor tensor(values.dtype(), shape);
  const std::size_t size = size_of(values.dtype());
  const std::byte* from = values.data();
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.elements()); ++i) {
    if ((bits[i / 8] >> (i % 8) & 1) == 0) continue;
    std::memcpy(tensor.data() + i * size, from, size);
    from += size;
  }
  return tensor;
}

}  // namespace

std::vector<NamedTensor> without_zeros(std::span<const NamedTensor> tensors, std::map<std::string, std::string>& metadata) {
  std::vector<NamedTensor> list;
  nlohmann::json shapes = nlohmann::json::object();
  for (const NamedTensor& item : tensors) {
    const auto parts = item.tensor.shape().rank() < 2 ? std::nullopt : split(item.tensor);
    if (!parts) {
      list.push_back(item);
      continue;
    }
    shapes[item.name] = std::vector<std::int64_t>(item.tensor.shape().extents().begin(), item.tensor.shape().extents().end());
    list.push_back({item.name + std::string(kMask), parts->first});
    list.push_back({item.name + std::string(kValues), parts->second});
  }
  if (!shapes.empty()) metadata[kZeros] = shapes.dump();
  return list;
}

std::vector<NamedTensor> with_zeros(std::vector<NamedTensor> tensors, std::map<std::string, std::string>& metadata, const std::string& file) {
  const auto entry = metadata.find(kZeros);
  if (entry == metadata.end()) return tensors;
  const std::map<std::string, Shape> shapes = shapes_in(entry->second, file);
  metadata.erase(entry);
  std::map<std::string_view, const Tensor*> given;
  for (const NamedTensor& item : tensors) given.emplace(item.name, &item.tensor);
  std::vector<NamedTensor> list;
  std::set<std::string> parts;
  for (const auto& [name, shape] : shapes) {
    const std::string mask_name = name + std::string(kMask), values_name = name + std::string(kValues);
    const auto mask = given.find(mask_name), values = given.find(values_name);
    if (mask == given.end() || values == given.end()) damaged(file, shown(name) + " lacks its mask or its values");
    if (given.contains(name)) damaged(file, shown(name) + " is there twice");
    list.push_back({name, joined(name, shape, *mask->second, *values->second, file)});
    parts.insert({mask_name, values_name});
  }
  for (NamedTensor& item : tensors) {
    if (!parts.contains(item.name)) list.push_back(std::move(item));
  }
  return list;
}

}  // namespace edgelab::models
