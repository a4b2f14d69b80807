#include "results/schema/text.hpp"

#include <cstddef>
#include <cstdint>

namespace edgelab::results {
namespace {

constexpr bool is_continuation(unsigned char byte) { return (byte & 0xC0u) == 0x80u; }

// Length of the valid UTF-8 sequence (RFC 3629: no surrogates, no overlong forms) at the start, or 0.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(at(i))) return 0;
  }
  const unsigned char second = at(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

}  // namespace

std::string clean_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = text.front() == '\0' ? 0 : sequence_length(text);
    clean += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

std::string link_name_of(std::string_view id) {
  const std::string clean = clean_utf8(id);
  if (clean.empty()) return "%";
  std::string name;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    const bool awkward = byte < 0x20 || byte == 0x7F || byte == '/' || byte == '%' || (byte == '.' && i == 0);
    if (!awkward) {
      name += clean[i];
      continue;
    }
    name += '%';
    name += "0123456789ABCDEF"[byte >> 4];
    name += "0123456789ABCDEF"[byte & 15];
  }
  return name;
}

}  // namespace edgelab::results
