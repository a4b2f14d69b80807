#include "batch/job_file/value.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
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
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size()) {
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
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return value.quoted ? "the text \"" + text + "\"" : text;
}

namespace {

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Words, paths and amounts with units, which every YAML reader takes for the same string without quotes. Not so words
// that some reader takes for a boolean, a null or a number.
bool is_plain(const std::string& text) {
  if (text.empty() || text.size() > 200) return false;
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (digits > 0)
    return digits < text.size() &&
           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(digits), text.end(), is_letter);
  if (!is_letter(text[0]) && text[0] != '/' && text[0] != '_') return false;
  const auto allowed = [](char c) {
    return is_digit(c) || is_letter(c) || std::string_view("_./+-").find(c) != std::string_view::npos;
  };
  if (!std::all_of(text.begin(), text.end(), allowed)) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return is_letter(c) ? static_cast<char>(c | 0x20) : c; });
  constexpr std::array<std::string_view, 11> kReserved{"true", "false", "yes",  "no",  "on", "off",
                                                       "y",    "n",     "null", "nan", "inf"};
  return std::find(kReserved.begin(), kReserved.end(), lower) == kReserved.end();
}

std::string yaml_text(const std::string& text) { return is_plain(text) ? text : json_text(text); }

template <class Scalar>
std::string flow(const Value& value, const char* colon, const char* comma, const Scalar& scalar) {
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
    text +=
        (text.size() > 1 ? comma : "") + scalar(text_value(each.key)) + colon + flow(each.value, colon, comma, scalar);
  }
  return text + (value.is_list() ? "]" : "}");
}

}  // namespace

std::string to_json(const Value& value) {
  return flow(value, ":", ",",
              [](const Value& scalar) { return scalar.quoted ? json_text(scalar.text) : scalar.text; });
}

std::string to_flow_yaml(const Value& value) {
  return flow(value, ": ", ", ",
              [](const Value& scalar) { return scalar.quoted ? yaml_text(scalar.text) : scalar.text; });
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
