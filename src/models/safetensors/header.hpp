#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.hpp"
#include "core/shape.hpp"

namespace edgelab::models {

// The format's own bound on the length of the JSON header.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

// One tensor's line in the header; [begin, end) counts from the first byte after the header.
struct HeaderEntry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

struct Header {
  std::vector<HeaderEntry> tensors;  // by begin, then end
  std::map<std::string, std::string> metadata;
};

// Reads the JSON header of `file` (named in errors only), whose tensors' bytes take `buffer_bytes`. Throws Error (data)
// unless the entries cover the buffer from end to end without overlap, each as long as its shape and type say.
Header parse_header(std::string_view json, std::uint64_t buffer_bytes, const std::string& file);

// The JSON text, padded with spaces so that the bytes after it are aligned for every element type.
// Throws Error (data) if a text isn't UTF-8.
std::string format_header(const Header& header);

// `text` in quotes, shortened, with control characters replaced: names in a hostile file may hold anything.
std::string shown(std::string_view text);

}  // namespace edgelab::models
