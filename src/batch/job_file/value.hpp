#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace edgelab::batch {

// A file, a --set, or a resolved job: where values come from.
struct SourceFile {
  std::string name;              // as messages show it
  std::filesystem::path folder;  // relative paths start here; absolute
  int order = 0;                 // in which errors are listed
};

struct Place {
  std::shared_ptr<const SourceFile> file;
  int line = 0, column = 0;  // from 1, columns in bytes; 0: none
  SourcePlace shown() const;
};

struct Entry;

// A node of a job file, with its place. yaml-cpp's own nodes lose the places of keys and hide repeated keys.
struct Value {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  bool quoted = false;   // a quoted scalar is never a number or a boolean
  bool bad = false;      // already reported: nothing more is said about it
  std::string text;      // scalar, as written
  std::string absolute;  // scalar of a path: absolute and lexically normal; set by the check
  std::vector<Value> items;
  std::vector<Entry> entries;
  Place place;

  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }

  const Entry* entry(std::string_view key) const;
  const Value* find(std::string_view key) const;          // null if there is none
  const Value* find_path(std::string_view dotted) const;  // "data.limit"
  void erase(std::string_view key);
};

struct Entry {
  std::string key;
  Place place;
  Value value;
};

Value plain_value(std::string text);  // number or boolean
Value text_value(std::string text);
Value map_value();
void add_entry(Value& map, std::string key, Value value);

// `value` inside maps, one for each part of the dotted path.
Value nested_value(std::string_view dotted, Value value);

// Equal in structure and scalars' text, wherever they stand.
bool same_value(const Value& a, const Value& b);

// "nothing", "the text \"x\"", "12", "a list", "a map": what a message says it got.
std::string described(const Value& value);

std::string to_json(const Value& value);                                      // compact, keys in their order
std::string to_flow_yaml(const Value& value);                                 // one line
std::string to_block_yaml(const Value& value, int indent, int block_levels);  // deeper levels as flow

// As written where the text needs no quotes, like `{a: [1, x]}`: for the ids of sweep members.
std::string as_written(const Value& value);

}  // namespace edgelab::batch
