#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "core/error.hpp"
#include "core/file.hpp"
#include "models/safetensors/header.hpp"
#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

namespace {

// Widest elements first keeps every tensor aligned for its type without holes, which the format forbids.
std::vector<const NamedTensor*> in_file_order(std::span<const NamedTensor> tensors) {
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, [](const NamedTensor* a, const NamedTensor* b) {
    const std::size_t size_a = size_of(a->tensor.dtype()), size_b = size_of(b->tensor.dtype());
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  return order;
}

Header header_of(const std::vector<const NamedTensor*>& order, const std::map<std::string, std::string>& metadata) {
  Header header;
  header.metadata = metadata;
  std::uint64_t offset = 0;
  for (const NamedTensor* item : order) {
    const std::uint64_t end = offset + item->tensor.bytes();
    header.tensors.push_back({item->name, item->tensor.dtype(), item->tensor.shape(), offset, end});
    offset = end;
  }
  return header;
}

void check(std::span<const NamedTensor> tensors, const std::string& file) {
  std::vector<std::string_view> names;
  for (const NamedTensor& item : tensors) {
    names.push_back(item.name);
    if (item.tensor.space() != MemorySpace::host) {
      throw Error(ErrorKind::data, fmt::format("tensor {} can't be written: it is not in host memory", shown(item.name))).at({file});
    }
    if (item.name == "__metadata__") throw Error(ErrorKind::data, "a tensor can't be named \"__metadata__\"").at({file});
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) throw Error(ErrorKind::data, fmt::format("two tensors are named {}", shown(*twice))).at({file});
}

// Hands the file's parts, one after another, to `write`. `place` is what errors call it.
template <class Write>
void emit(std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& metadata, const std::string& place, Write write) {
  const std::vector<const NamedTensor*> order = in_file_order(tensors);
  const std::string json = format_header(header_of(order, metadata));
  if (json.size() > kMaxHeaderBytes) {
    throw Error(ErrorKind::data, "the header would be longer than a safetensors file may have")
        .at({place}).got(fmt::format("{} bytes", json.size())).expected(fmt::format("at most {}", kMaxHeaderBytes));
  }
  std::byte length[8];
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(json.size() >> (8 * i) & 0xFF);
  write(std::span<const std::byte>(length));
  write(std::as_bytes(std::span(json)));
  for (const NamedTensor* item : order) write(std::span<const std::byte>(item->tensor.data(), item->tensor.bytes()));
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check(tensors, path.string());
  PartFile file(path);
  emit(tensors, metadata, path.string(), [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

std::vector<std::uint8_t> safetensors_bytes(std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& metadata) {
  check(tensors, "");
  std::vector<std::uint8_t> file;
  emit(tensors, metadata, "", [&](std::span<const std::byte> bytes) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
    file.insert(file.end(), begin, begin + bytes.size());
  });
  return file;
}

}  // namespace edgelab::models
