#include "results/json/encoding.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/error.hpp"
#include "results/schema/text.hpp"

namespace edgelab::results {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> reverse_alphabet() {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return digits;
}

Json json_of_real(double number, Form form) {
  if (std::isfinite(number) || form == Form::cbor) return number;
  if (form == Form::shown || form == Form::exported) return nullptr;
  return std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
}

double real_from(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const std::string word = json.is_string() ? json.get<std::string>() : "";
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (word == "inf") return std::numeric_limits<double>::infinity();
  if (word == "-inf") return -std::numeric_limits<double>::infinity();
  throw Error(ErrorKind::data, "").expected("a number");
}

[[noreturn]] void wrong_kind(const Json& json, const FieldInfo& field, const char* expected) {
  throw Error(ErrorKind::data, std::string("'") + field.name + "' has the wrong type")
      .got(json.type_name())
      .expected(expected);
}

}  // namespace

Json json_of(const Value& value, Form form) {
  if (const auto* text = std::get_if<std::string>(&value)) return clean_utf8(*text);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return json_of_real(*real, form);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  return nullptr;
}

Value value_from(const Json& json, const FieldInfo& field) {
  if (json.is_null()) return {};
  switch (field.kind) {
    case Kind::text:
    case Kind::status:
      if (!json.is_string()) wrong_kind(json, field, "a string");
      return json.get<std::string>();
    case Kind::integer32:
    case Kind::integer64:
      if (!json.is_number_integer()) wrong_kind(json, field, "an integer");
      return json.get<std::int64_t>();
    case Kind::real:
      if (!json.is_number() && !json.is_string()) wrong_kind(json, field, "a number");
      return real_from(json);
    case Kind::flag:
      if (!json.is_boolean()) wrong_kind(json, field, "true or false");
      return json.get<bool>();
  }
  return {};
}

Json json_of_bytes(std::span<const std::byte> bytes, Form form) {
  if (form != Form::cbor) return base64_of(bytes);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return Json::binary(std::vector<std::uint8_t>(first, first + bytes.size()));
}

std::vector<std::byte> bytes_from(const Json& json, const char* name) {
  if (json.is_string()) return from_base64(json.get_ref<const std::string&>());
  if (!json.is_binary())
    throw Error(ErrorKind::data, std::string("'") + name + "' has the wrong type")
        .got(json.type_name())
        .expected("bytes");
  const auto& binary = json.get_binary();
  const auto view = std::as_bytes(std::span(binary.data(), binary.size()));
  return {view.begin(), view.end()};
}

std::string base64_of(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kAlphabet[three >> (18 - 6 * k) & 63u] : '=';
  }
  return text;
}

std::vector<std::byte> from_base64(std::string_view text) {
  static constexpr std::array<std::int8_t, 256> kDigits = reverse_alphabet();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bool sound = text.size() % 4 == 0;
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; sound && i < text.size() - padding; ++i) {
    const std::int8_t digit = kDigits[static_cast<unsigned char>(text[i])];
    sound = digit >= 0;
    bits = bits << 6 | static_cast<std::uint32_t>(digit & 63);
    if (i % 4 != 0) bytes.push_back(static_cast<std::byte>(bits >> (6 - 2 * (i % 4)) & 255u));
  }
  if (!sound) throw Error(ErrorKind::data, "an array is not valid base64");
  return bytes;
}

}  // namespace edgelab::results
