#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "models/safetensors/header.hpp"
#include "models/safetensors/mapped_file.hpp"
#include "models/safetensors/safetensors.hpp"
#include "models/safetensors/zeros.hpp"

namespace edgelab::models {

std::string_view safetensors_name_of(DType type) {
  switch (type) {
    case DType::f32: return "F32";
    case DType::f16: return "F16";
    case DType::bf16: return "BF16";
    case DType::s8: return "I8";
    case DType::u8: return "U8";
    case DType::s32: return "I32";
    case DType::s64: return "I64";
  }
  return "?";
}

namespace {

constexpr std::uint64_t kLengthBytes = 8;

std::uint64_t header_length(std::span<const std::byte> bytes, const std::string& file) {
  if (bytes.size() < kLengthBytes) {
    throw Error(ErrorKind::data, "the file is too short for a safetensors file")
        .at({file}).got(fmt::format("{} bytes", bytes.size())).expected("at least 8, the length of the header");
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  const std::uint64_t most = std::min<std::uint64_t>(bytes.size() - kLengthBytes, kMaxHeaderBytes);
  if (length > most) {
    throw Error(ErrorKind::data, "the safetensors header can't be as long as the file says")
        .at({file}).got(fmt::format("{} bytes", length))
        .expected(fmt::format("at most {} ({})", most, most == kMaxHeaderBytes ? "the format's bound" : "the file ends there"))
        .hint("the file is cut short, damaged, or not a safetensors file");
  }
  return length;
}

Tensor view_of(const HeaderEntry& entry, std::byte* data, const std::shared_ptr<const void>& owner) {
  Tensor view(entry.dtype, entry.shape, data, owner);
  if (reinterpret_cast<std::uintptr_t>(data) % size_of(entry.dtype) == 0) return view;
  return view.clone();
}

}  // namespace

Safetensors Safetensors::open(const std::filesystem::path& path) {
  const MappedFile file = map_file(path);
  return of_bytes(file.bytes, file.owner, path);
}

Safetensors Safetensors::of_bytes(std::span<std::byte> bytes, const std::shared_ptr<const void>& owner,
                                  const std::filesystem::path& name) {
  const std::uint64_t length = header_length(bytes, name.string());
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
  if (!json.starts_with('{')) {
    throw Error(ErrorKind::data, "the header is not that of a safetensors file")
        .at({name.string()}).got(shown(json.substr(0, 16))).expected("a JSON object, beginning with {");
  }
  const std::span<std::byte> buffer = bytes.subspan(kLengthBytes + length);
  Header header = parse_header(json, buffer.size(), name.string());

  Safetensors result;
  result.path_ = name;
  result.metadata_ = std::move(header.metadata);
  std::vector<NamedTensor> stored;
  stored.reserve(header.tensors.size());
  for (HeaderEntry& entry : header.tensors) {
    Tensor view = view_of(entry, buffer.data() + entry.begin, owner);
    stored.push_back({std::move(entry.name), std::move(view)});
  }
  result.tensors_ = with_zeros(std::move(stored), result.metadata_, name.string());
  for (std::size_t i = 0; i < result.tensors_.size(); ++i) result.index_.emplace(result.tensors_[i].name, i);
  return result;
}

const Tensor* Safetensors::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second].tensor;
}

}  // namespace edgelab::models
