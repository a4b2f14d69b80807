#include "batch/job_file/value.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <utility>

namespace edgelab::batch {

SourcePlace Place::shown() const { return {file ? file->name : std::string{}, line, column}; }

const Entry* Value::entry(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& each) { return each.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

const Value* Value::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found ? &found->value : nullptr;
}

const Value* Value::find_path(std::string_view dotted) const {
  const Value* at = this;
  while (at) {
    const std::size_t dot = dotted.find('.');
    at = at->find(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return at;
    dotted.remove_prefix(dot + 1);
  }
  return nullptr;
}

void Value::erase(std::string_view key) {
  std::erase_if(entries, [&](const Entry& each) { return each.key == key; });
}

Value plain_value(std::string text) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.text = std::move(text);
  return value;
}

Value text_value(std::string text) {
  Value value = plain_value(std::move(text));
  value.quoted = true;
  return value;
}

Value map_value() {
  Value value;
  value.kind = Value::Kind::map;
  return value;
}

void add_entry(Value& map, std::string key, Value value) {
  Place place = value.place;
  map.entries.push_back({std::move(key), std::move(place), std::move(value)});
}

Value nested_value(std::string_view dotted, Value value) {
  for (std::size_t dot = dotted.rfind('.');; dot = dotted.rfind('.')) {
    const bool last = dot == std::string_view::npos;
    Value map = map_value();
    map.place = value.place;
    add_entry(map, std::string(last ? dotted : dotted.substr(dot + 1)), std::move(value));
    if (last) return map;
    value = std::move(map);
    dotted = dotted.substr(0, dot);
  }
}

bool same_value(const Value& a, const Value& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() || a.entries.size() != b.entries.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same_value(a.items[i], b.items[i])) return false;
  }
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const Entry& each) {
    const Value* other = b.find(each.key);
    return other && same_value(each.value, *other);
  });
}

std::string described(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::list: return "a list";
    case Value::Kind::map: return "a map";
    case Value::Kind::scalar: break;
  }
  constexpr std::size_t kMost = 60;
  std::string text = value.text;
  if (text.size() > kMost) {
    std::size_t cut = kMost;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // not inside a UTF-8 character
    text = text.substr(0, cut) + "…";
  }
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return value.quoted ? "the text \"" + text + "\"" : text;
}

namespace {

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// YAML that every reader takes for the same string. Words that some reader takes for a boolean or null are quoted.
std::string yaml_text(const std::string& text) {
  static const std::regex plain("[A-Za-z/_][A-Za-z0-9_./+-]*|[0-9]+[A-Za-z]+");  // words, paths, amounts with units
  static const std::regex reserved("true|false|yes|no|on|off|y|n|null|nan|inf", std::regex::icase);
  const bool safe = text.size() <= 200 && std::regex_match(text, plain) && !std::regex_match(text, reserved);
  return safe ? text : json_text(text);
}

template <class Scalar> std::string flow(const Value& value, const char* colon, const char* comma, const Scalar& scalar) {
  switch (value.kind) {
    case Value::Kind::null: return "null";
    case Value::Kind::scalar: return scalar(value);
    case Value::Kind::list: break;
    case Value::Kind::map: break;
  }
  std::string text(value.is_list() ? "[" : "{");
  for (const Value& item : value.items) {
    text += (text.size() > 1 ? comma : "") + flow(item, colon, comma, scalar);
  }
  for (const Entry& each : value.entries) {
    text += (text.size() > 1 ? comma : "") + scalar(text_value(each.key)) + colon + flow(each.value, colon, comma, scalar);
  }
  return text + (value.is_list() ? "]" : "}");
}

}  // namespace

std::string to_json(const Value& value) {
  return flow(value, ":", ",", [](const Value& scalar) { return scalar.quoted ? json_text(scalar.text) : scalar.text; });
}

std::string to_flow_yaml(const Value& value) {
  return flow(value, ": ", ", ", [](const Value& scalar) { return scalar.quoted ? yaml_text(scalar.text) : scalar.text; });
}

std::string to_block_yaml(const Value& value, int indent, int block_levels) {
  if (block_levels == 0 || (value.items.empty() && value.entries.empty())) return to_flow_yaml(value);
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  for (const Value& item : value.items) {
    text += (text.empty() ? "" : "\n" + margin) + "- " + to_block_yaml(item, indent + 2, block_levels - 1);
  }
  for (const Entry& each : value.entries) {
    const bool block = block_levels > 1 && (!each.value.items.empty() || !each.value.entries.empty());
    text += (text.empty() ? "" : "\n" + margin) + yaml_text(each.key) + ":";
    text += block ? "\n" + margin + "  " : " ";
    text += to_block_yaml(each.value, indent + 2, block_levels - 1);
  }
  return text;
}

std::string as_written(const Value& value) {
  return flow(value, ": ", ", ", [](const Value& scalar) { return scalar.text; });
}

}  // namespace edgelab::batch
