#include "models/safetensors/header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "core/error.hpp"
#include "models/safetensors/header_events.hpp"
#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string result = "\"";
  for (const char letter : text.substr(0, kLongest)) {
    const auto code = static_cast<unsigned char>(letter);
    result += code < 0x20 || code == 0x7F ? '?' : letter;
  }
  return result + (text.size() > kLongest ? "…\"" : "\"");
}

namespace {

// shape × element size; nothing if that doesn't fit in 63 bits.
std::optional<std::uint64_t> bytes_of(const HeaderEntry& entry) {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(entry.dtype));
  for (const std::int64_t extent : entry.shape.extents()) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  return static_cast<std::uint64_t>(bytes);
}

void check_length(const HeaderEntry& entry, std::uint64_t buffer_bytes, const std::string& file) {
  if (entry.begin > entry.end || entry.end > buffer_bytes) {
    throw Error(ErrorKind::data, fmt::format("the bytes of tensor {} lie outside the file", shown(entry.name)))
        .at({file}).got(fmt::format("data_offsets [{}, {}]", entry.begin, entry.end))
        .expected(fmt::format("begin ≤ end ≤ {}", buffer_bytes));
  }
  const std::optional<std::uint64_t> wanted = bytes_of(entry);
  if (wanted != entry.end - entry.begin) {
    throw Error(ErrorKind::data, fmt::format("tensor {} has another length than its shape and type say", shown(entry.name)))
        .at({file}).got(fmt::format("{} bytes", entry.end - entry.begin))
        .expected(fmt::format("{} {} = {} bytes", entry.shape.text(), safetensors_name_of(entry.dtype),
                              wanted ? std::to_string(*wanted) : "more than 2^63"));
  }
}

// The format allows neither overlap nor holes: each tensor begins where the one before ended.
void check_layout(const Header& header, std::uint64_t buffer_bytes, const std::string& file) {
  std::uint64_t expected_begin = 0;
  for (const HeaderEntry& entry : header.tensors) {
    if (entry.begin != expected_begin) {
      throw Error(ErrorKind::data, fmt::format("tensor {} {} the tensor before it", shown(entry.name),
                                               entry.begin < expected_begin ? "overlaps" : "leaves a hole after"))
          .at({file}).got(fmt::format("begin {}", entry.begin)).expected(std::to_string(expected_begin));
    }
    expected_begin = entry.end;
  }
  if (expected_begin != buffer_bytes) {
    throw Error(ErrorKind::data, "bytes after the last tensor belong to none")
        .at({file}).got(fmt::format("{} bytes of tensors in the file", buffer_bytes)).expected(std::to_string(expected_begin))
        .hint("was the header changed, or the file put together by hand?");
  }
}

}  // namespace

Header parse_header(std::string_view json, std::uint64_t buffer_bytes, const std::string& file) {
  HeaderEvents events(file);
  // Events, not a document: duplicate names stay visible, depth is bounded by us, and memory by what a tensor's entry holds.
  nlohmann::json::sax_parse(json.begin(), json.end(), &events);
  Header header = std::move(events).take();
  for (const HeaderEntry& entry : header.tensors) check_length(entry, buffer_bytes, file);
  std::ranges::sort(header.tensors, {}, [](const HeaderEntry& entry) { return std::tie(entry.begin, entry.end); });
  check_layout(header, buffer_bytes, file);
  return header;
}

std::string format_header(const Header& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  for (const HeaderEntry& entry : header.tensors) {
    json[entry.name] = {{"dtype", safetensors_name_of(entry.dtype)},
                        {"shape", std::vector<std::int64_t>(entry.shape.extents().begin(), entry.shape.extents().end())},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::type_error&) {
    throw Error(ErrorKind::data, "a tensor's name or the metadata is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace edgelab::models
