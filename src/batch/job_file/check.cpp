#include "batch/job_file/check.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "batch/job_file/scalars.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {
namespace {

constexpr std::size_t kMostText = 4096;  // PATH_MAX, and more than any name needs

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }
std::string below(const std::string& name, const std::string& key) { return name.empty() ? key : name + "." + key; }

class Checker {
 public:
  explicit Checker(ErrorList& errors) : errors_(errors) {}

  void check(Value& value, const Type& given, const std::string& name) {
    const Type& type = given.fitting(value);
    switch (type.kind) {
      case Type::Kind::list: return check_list(value, type, given, name);
      case Type::Kind::map: return check_map(value, type.section(), given, name);
      case Type::Kind::matrix: return check_matrix(value, type, name);
      case Type::Kind::exclude: return check_exclude(value, type, name);
      default: check_scalar(value, type, given, name);
    }
  }

 private:
  void report(Value& value, Error error) {
    value.bad = true;
    errors_.add(std::move(error), value.place);
  }

  void wrong_type(Value& value, const Type& expected, const std::string& name, const std::string& hint = {}) {
    report(value, usage_error(value.place, in_quotes(name) + " has the wrong type")
                      .got(described(value))
                      .expected(described(expected))
                      .hint(hint));
  }
  void out_of_range(Value& value, const Type& expected, const std::string& name) {
    report(value, usage_error(value.place, in_quotes(name) + " is out of range")
                      .got(described(value))
                      .expected(described(expected)));
  }

  void check_list(Value& value, const Type& type, const Type& given, const std::string& name) {
    if (!value.is_list()) return wrong_type(value, given, name);
    if (value.items.size() < type.fewest) return wrong_type(value, given, name);
    for (Value& item : value.items) {
      is_item_ = true;
      check(item, type.parts[0], name);
      is_item_ = false;
      if (item.bad && !item.is_list() && !item.is_map())
        value.bad = true;  // a list with a hole would mean something else
    }
  }

  // A rival key, as of `strategy` and `pipeline`.
  void check_alternatives(Value& value, const Section& section, const std::string& name) {
    const Entry* first = nullptr;
    const std::vector<std::string>* group = nullptr;
    for (Entry& each : value.entries) {
      const auto own = std::find_if(section.alternatives.begin(), section.alternatives.end(), [&](const auto& keys) {
        return std::find(keys.begin(), keys.end(), each.key) != keys.end();
      });
      if (own == section.alternatives.end()) continue;
      if (group && group != &*own) {
        errors_.add(usage_error(each.place, in_quotes(below(name, each.key)) + " stands instead of " +
                                                in_quotes(first->key) + ", not beside it")
                        .hint("remove one of them"),
                    each.place);
        value.bad = true;
      }
      if (!group) first = &each;
      if (!group) group = &*own;
    }
  }

  void check_map(Value& value, const Section& section, const Type& given, const std::string& name) {
    const std::string shown =
        name.empty() ? "the map" : (std::exchange(is_item_, false) ? "an item of " : "") + in_quotes(name);
    if (!value.is_map()) return wrong_type(value, given, name);
    for (Entry& each : value.entries) {
      if (const Key* key = section.key(each.key)) {
        check(each.value, key->type, below(name, each.key));
      } else {
        unknown_key(each, section, name);
      }
    }
    for (const Key& key : section.keys) {
      if (key.required && !value.find(key.name)) {
        value.bad = true;
        errors_.add(usage_error(value.place, shown + " has no " + in_quotes(key.name))
                        .hint("add " + key.name + ": " + described(key.type)),
                    value.place);
      }
    }
    if (section.exactly_one && value.entries.size() != 1) {
      report(value, usage_error(value.place, shown + " must have one key")
                        .got(std::to_string(value.entries.size()))
                        .hint(value.entries.empty() ? "add one" : "begin each with a dash of its own"));
    }
    check_alternatives(value, section, name);
  }

  void unknown_key(Entry& entry, const Section& section, const std::string& name) {
    entry.value.bad = true;
    const std::string near = nearest_name(entry.key, section.names());
    const std::string elsewhere = place_of_key(entry.key, section);
    std::string hint;
    if (entry.key == "<<") {
      hint = "merge keys are not used here: put what jobs share in defaults";
    } else if (!elsewhere.empty() || !near.empty()) {
      hint = "did you mean " + in_quotes(elsewhere.empty() ? near : elsewhere) + "?";
    } else {
      for (const std::string& each : section.names()) hint += (hint.empty() ? "known here: " : ", ") + each;
    }
    errors_.add(usage_error(entry.place, "unknown key " + in_quotes(below(name, entry.key))).hint(hint), entry.place);
  }

  // `limit` put beside `data` instead of under it.
  static std::string place_of_key(const std::string& key, const Section& section) {
    for (const std::string& dotted : dotted_keys(section)) {
      const std::size_t dot = dotted.rfind('.');
      if (dot != std::string::npos && std::string_view(dotted).substr(dot + 1) == key) return dotted;
    }
    return {};
  }

  void check_matrix(Value& value, const Type& type, const std::string& name) {
    if (!value.is_map()) return wrong_type(value, type, name);
    for (Entry& each : value.entries) {
      const Type* of = type_of(override_section(), each.key);
      if (!of || each.key == "needs" || each.key == "matrix" || each.key == "exclude" || each.key == "max_parallel") {
        value.bad = each.value.bad = true;
        const std::string near = of ? "" : nearest_name(each.key, dotted_keys(defaults_section()));
        errors_.add(usage_error(each.place, of ? in_quotes(each.key) + " can't be varied by a matrix"
                                               : "unknown key " + in_quotes(each.key) + " in the matrix")
                        .hint(near.empty() ? "" : "did you mean " + in_quotes(near) + "?"),
                    each.place);
        continue;
      }
      check_matrix_values(each, *of, name);
      value.bad = value.bad || each.value.bad;
    }
    if (value.entries.empty())
      report(value,
             usage_error(value.place, "the matrix is empty").hint("add a key with a list of values, or remove it"));
  }

  void check_matrix_values(Entry& entry, const Type& of, const std::string& name) {
    Value& values = entry.value;
    if (!values.is_list() || values.items.empty()) {
      const std::string hint = values.is_map() ? "write the keys with dots: " + entry.key + ".KEY: [A, B]" : "";
      return report(values, usage_error(values.place, in_quotes(below(name, entry.key)) + " has the wrong type")
                                .got(values.is_list() ? "an empty list" : described(values))
                                .expected("a list of values")
                                .hint(hint));
    }
    for (std::size_t i = 0; i < values.items.size(); ++i) {
      Value& item = values.items[i];
      check(item, of, entry.key);
      values.bad = values.bad || item.bad;
      const auto same = [&](const Value& other) { return as_written(other) == as_written(item); };
      if (std::any_of(values.items.begin(), values.items.begin() + static_cast<std::ptrdiff_t>(i), same)) {
        values.bad = true;
        report(
            item,
            usage_error(item.place, in_quotes(below(name, entry.key)) + " lists a value twice").got(as_written(item)));
      }
    }
  }

  void check_exclude(Value& value, const Type& type, const std::string& name) {
    if (!value.is_list()) return wrong_type(value, type, name);
    for (Value& item : value.items) {
      if (!item.is_map() || item.entries.empty()) wrong_type(item, type, name);
      value.bad = value.bad || item.bad;
    }
  }

  void check_scalar(Value& value, const Type& type, const Type& given, const std::string& name) {
    if (!value.is_scalar()) return wrong_type(value, given, name);
    if (value.text.size() > kMostText)
      return report(value, usage_error(value.place, in_quotes(name) + " is too long").expected("at most 4,096 bytes"));
    switch (type.kind) {
      case Type::Kind::boolean:
        if (value.quoted || !read_boolean(value.text)) wrong_type(value, given, name);
        return;
      case Type::Kind::choice: return check_choice(value, type, given, name);
      case Type::Kind::integer:
      case Type::Kind::number:
      case Type::Kind::duration:
      case Type::Kind::bytes: return check_amount(value, type, given, name);
      default: return check_text(value, type, given, name);
    }
  }

  void check_choice(Value& value, const Type& type, const Type& given, const std::string& name) {
    if (std::find(type.choices.begin(), type.choices.end(), value.text) != type.choices.end()) return;
    const std::string near = nearest_name(value.text, type.choices);
    report(value, usage_error(value.place, in_quotes(name) + " has an unknown value")
                      .got(described(value))
                      .expected(described(given))
                      .hint(near.empty() ? "" : "did you mean " + in_quotes(near) + "?"));
  }

  void check_amount(Value& value, const Type& type, const Type& given, const std::string& name) {
    double amount = 0;
    if (type.kind == Type::Kind::integer) {
      const auto whole = read_integer(value.text);
      if (value.quoted || !whole) return wrong_type(value, given, name);
      amount = static_cast<double>(*whole);
    } else if (type.kind == Type::Kind::number) {
      const auto read = read_number(value.text);
      if (value.quoted || !read) return wrong_type(value, given, name);
      amount = *read;
    } else {
      const auto read = type.kind == Type::Kind::duration ? read_duration(value.text) : read_bytes(value.text);
      const bool no_unit = type.kind == Type::Kind::duration && read_number(value.text).has_value();
      if (!read) return wrong_type(value, given, name, no_unit ? "add the unit, as in " + value.text + "ms" : "");
      amount = static_cast<double>(*read);
    }
    const bool low = type.above_low ? amount <= type.low : amount < type.low;
    const bool high = type.below_high ? amount >= type.high : amount > type.high;
    if (low || high) out_of_range(value, type, name);
  }

  void check_text(Value& value, const Type& type, const Type& given, const std::string& name) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (value.text.empty()) return wrong_type(value, given, name);
    if (std::any_of(value.text.begin(), value.text.end(), control)) {
      return report(value,
                    usage_error(value.place, in_quotes(name) + " holds a control character or more than one line")
                        .got(described(value)));
    }
    if (type.matches && !type.matches(value.text)) return wrong_type(value, given, name);
    if (type.kind != Type::Kind::path && type.kind != Type::Kind::weights_file) return;
    const std::filesystem::path folder = value.place.file ? value.place.file->folder : std::filesystem::path{};
    value.absolute = (folder / value.text).lexically_normal().string();
  }

  ErrorList& errors_;
  bool is_item_ = false;  // the value checked next is an item of a list
};

}  // namespace

void check(Value& value, const Type& type, const std::string& name, ErrorList& errors) {
  Checker(errors).check(value, type, name);
}

}  // namespace edgelab::batch
