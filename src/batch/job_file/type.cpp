#include "batch/job_file/type.hpp"

#include <algorithm>
#include <utility>

#include "batch/job_file/scalars.hpp"

namespace edgelab::batch {
namespace {

Type of_kind(Type::Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type ranged(Type::Kind kind, double low, double high) {
  Type type = of_kind(kind);
  type.low = low;
  type.high = high;
  return type;
}

constexpr double kMostExact = 0x1p53;

bool fits(const Type& type, const Value& value) {
  switch (type.kind) {
    case Type::Kind::list:
    case Type::Kind::exclude: return value.is_list();
    case Type::Kind::map:
    case Type::Kind::matrix: return value.is_map();
    default: return !value.is_list() && !value.is_map();
  }
}

}  // namespace

const Type& Type::fitting(const Value& value) const {
  if (kind != Kind::any_of) return *this;
  for (const Type& part : parts) {
    if (fits(part, value)) return part;
  }
  return *this;
}

Type boolean() { return of_kind(Type::Kind::boolean); }
Type integer(std::int64_t low, std::int64_t high) {
  return ranged(Type::Kind::integer, static_cast<double>(low), static_cast<double>(high));
}
Type number(double low, double high) { return ranged(Type::Kind::number, low, high); }
Type number_above(double low, double high) {
  Type type = number(low, high);
  type.above_low = true;
  return type;
}
Type text() { return of_kind(Type::Kind::text); }
Type text_of(bool (*matches)(std::string_view), std::string pattern, std::string form) {
  Type type = text();
  type.matches = matches;
  type.pattern = std::move(pattern);
  type.form = std::move(form);
  return type;
}
Type path() { return of_kind(Type::Kind::path); }
Type weights_file() { return of_kind(Type::Kind::weights_file); }
Type duration(std::int64_t low) { return ranged(Type::Kind::duration, static_cast<double>(low), kMostExact); }
Type bytes() { return ranged(Type::Kind::bytes, 1, kMostExact); }
Type job_id() { return of_kind(Type::Kind::job_id); }
Type choice(std::vector<std::string> choices) {
  Type type = of_kind(Type::Kind::choice);
  type.choices = std::move(choices);
  return type;
}
Type list(Type element, std::size_t fewest) {
  Type type = of_kind(Type::Kind::list);
  type.parts.push_back(std::move(element));
  type.fewest = fewest;
  return type;
}
Type one_or_list(Type element, std::size_t fewest) {
  Type single = element;
  return any_of({std::move(single), list(std::move(element), fewest)});
}
Type map(const Section& (*section)()) {
  Type type = of_kind(Type::Kind::map);
  type.section = section;
  return type;
}
Type any_of(std::vector<Type> parts) {
  Type type = of_kind(Type::Kind::any_of);
  type.parts = std::move(parts);
  return type;
}

const Key* Section::key(std::string_view wanted) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& each) { return each.name == wanted; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> Section::names() const {
  std::vector<std::string> all;
  for (const Key& each : keys) all.push_back(each.name);
  return all;
}

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string limits(const Type& type, const std::function<std::string(double)>& written) {
  if (type.high >= kMostExact || (type.kind != Type::Kind::number && type.high >= 1e15)) {
    return (type.above_low ? " above " : " from ") + written(type.low) + (type.above_low ? "" : " up");
  }
  return (type.above_low ? " above " : " from ") + written(type.low) + (type.above_low ? " up to " : " to ") +
         (type.below_high ? "below " : "") + written(type.high);
}

std::string described_whole(double value) { return with_thousands(static_cast<std::int64_t>(value)); }

}  // namespace

std::string described(const Type& type) {
  switch (type.kind) {
    case Type::Kind::boolean: return "true or false";
    case Type::Kind::integer: return "a whole number" + limits(type, described_whole);
    case Type::Kind::number: return "a number" + limits(type, write_number);
    case Type::Kind::text: return type.form.empty() ? "a text" : type.form;
    case Type::Kind::path: return "a path";
    case Type::Kind::weights_file: return "a path or random";
    case Type::Kind::choice: return type.choices.size() == 1 ? type.choices.front() : "one of " + joined(type.choices);
    case Type::Kind::duration: return "a duration such as 12ms, 1.5s or 10m";
    case Type::Kind::bytes: return "a size such as 512MiB or 2GB";
    case Type::Kind::job_id: return "the id of a job";
    case Type::Kind::list:
      return type.fewest ? "a list, not empty, of " + described(type.parts[0])
                         : "a list of " + described(type.parts[0]);
    case Type::Kind::map:
      return "a map with " + std::string(type.section().exactly_one ? "one of the keys " : "the keys ") +
             joined(type.section().names());
    case Type::Kind::any_of: break;
    case Type::Kind::matrix: return "a map from keys to lists";
    case Type::Kind::exclude: return "a list of maps from matrix keys to values";
  }
  std::string text;
  for (const Type& part : type.parts) text += (text.empty() ? "" : ", or ") + described(part);
  return text;
}

namespace {

const Section* section_of(const Type& type) {
  if (type.kind == Type::Kind::map) return &type.section();
  if (type.kind != Type::Kind::any_of) return nullptr;
  for (const Type& part : type.parts) {
    if (part.kind == Type::Kind::map) return &part.section();
  }
  return nullptr;
}

void collect_dotted(const Section& section, const std::string& prefix, std::vector<std::string>& all) {
  for (const Key& key : section.keys) {
    all.push_back(prefix + key.name);
    if (const Section* inner = section_of(key.type)) collect_dotted(*inner, prefix + key.name + ".", all);
  }
}

}  // namespace

const Type* type_of(const Section& section, std::string_view dotted) {
  const std::size_t dot = dotted.find('.');
  const Key* key = section.key(dotted.substr(0, dot));
  if (!key) return nullptr;
  if (dot == std::string_view::npos) return &key->type;
  const Section* inner = section_of(key->type);
  return inner ? type_of(*inner, dotted.substr(dot + 1)) : nullptr;
}

std::vector<std::string> dotted_keys(const Section& section) {
  std::vector<std::string> all;
  collect_dotted(section, "", all);
  return all;
}

void fill_section(const Section& section, void* spec, const Value& value, WeightsFinder* weights) {
  for (const Entry& each : value.entries) {
    const Key* key = section.key(each.key);
    if (key && key->fill && !each.value.bad) key->fill(spec, each.value, key->type, weights);
  }
}

Value show_section(const Section& section, const void* spec) {
  Value map = map_value();
  for (const Key& key : section.keys) {
    if (!key.show) continue;
    if (auto value = key.show(spec, key.type)) add_entry(map, key.name, std::move(*value));
  }
  return map;
}

}  // namespace edgelab::batch
