#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/job_file/value.hpp"

namespace edgelab::batch {

// The definition of the keys. Parser, messages, JSON Schema and the reference in docs/jobs.md all read this one.

struct Section;
class WeightsFinder;

struct Type {
  enum class Kind {
    boolean,
    integer,
    number,
    text,
    path,
    weights_file,
    choice,
    duration,
    bytes,
    job_id,
    list,
    map,
    any_of,
    matrix,
    exclude
  };

  Kind kind{};
  double low = 0, high = 0;                    // numbers: inclusive; durations in ns, sizes in bytes
  bool above_low = false, below_high = false;  // … exclusive
  std::vector<std::string> choices;            // choice
  // text that has a form: what tells it, the same as an ECMAScript expression for the schema, and in words. (std::regex
  // would do with the expression alone, but recurses once a character and makes GCC 12 warn under the sanitizers.)
  bool (*matches)(std::string_view) = nullptr;
  std::string pattern, form;
  std::vector<Type> parts;                // list: the element; any_of: at most one scalar, one list, one map
  std::size_t fewest = 0;                 // list
  const Section& (*section)() = nullptr;  // map

  // The alternative that `value` must be; the first scalar one for a null. Of a list's element too: a single value may
  // stand for a list of one.
  const Type& fitting(const Value& value) const;
};

Type boolean();
Type integer(std::int64_t low, std::int64_t high);
Type number(double low, double high);
Type number_above(double low, double high);  // low itself is out
Type text();
Type text_of(bool (*matches)(std::string_view), std::string pattern, std::string form);
Type path();
Type weights_file();
Type duration(std::int64_t low);
Type bytes();
Type job_id();
Type choice(std::vector<std::string> choices);
Type list(Type element, std::size_t fewest = 0);
Type one_or_list(Type element, std::size_t fewest = 0);
Type map(const Section& (*section)());
Type any_of(std::vector<Type> parts);

struct Key {
  std::string name;
  Type type;
  std::string doc;
  std::string otherwise;  // what holds without the key, where no constant says it
  bool required = false;
  // Both null for keys that steer the loading itself (id, matrix, include, …).
  std::function<void(void* spec, const Value& value, const Type& type, WeightsFinder* weights)> fill;
  std::function<std::optional<Value>(const void* spec, const Type& type)> show;  // nothing: the key is left out
};

struct Section {
  std::string name;  // of its table in the reference
  std::string doc;
  std::vector<Key> keys;
  // Groups of keys that stand instead of one another: {{"strategy"}, {"pipeline", "tensor", …}}.
  std::vector<std::vector<std::string>> alternatives;
  bool exactly_one = false;         // key
  std::function<Value()> defaults;  // of a section that fills a struct

  const Key* key(std::string_view name) const;
  std::vector<std::string> names() const;
};

// "a whole number from 1 to 64", "one of a, b": what a message says it expected.
std::string described(const Type& type);

// The type of a dotted key below `section`; null if there is none.
const Type* type_of(const Section& section, std::string_view dotted);
// Every dotted key below `section`.
std::vector<std::string> dotted_keys(const Section& section);

void fill_section(const Section& section, void* spec, const Value& value, WeightsFinder* weights);
Value show_section(const Section& section, const void* spec);

}  // namespace edgelab::batch
