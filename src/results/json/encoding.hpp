#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "results/schema/field.hpp"

namespace edgelab::results {

using Json = nlohmann::ordered_json;

enum class Form {
  text,   // whole, for the journal
  cbor,   // whole, for messages
  shown,  // for people's programs: no big arrays, jobs by id
  exported,  // the same with the arrays, as lists within lists
};

Json json_of(const Value& value, Form form);
// Throws Error (data) if the JSON is not of that kind. null reads as unknown.
Value value_from(const Json& json, const FieldInfo& field);

Json json_of_bytes(std::span<const std::byte> bytes, Form form);
std::vector<std::byte> bytes_from(const Json& json, const char* name);

// RFC 4648, with padding.
std::string base64_of(std::span<const std::byte> bytes);
// Throws Error (data) for anything that base64_of() does not make.
std::vector<std::byte> from_base64(std::string_view text);

}  // namespace edgelab::results
