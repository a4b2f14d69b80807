#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "batch/job_file/enum_names.hpp"
#include "batch/job_file/scalars.hpp"
#include "batch/job_file/type.hpp"

namespace edgelab::batch {

// Ties a key to the member of a JobSpec struct that it fills. Values have passed the check against the key's type before
// they come here, so nothing here can fail.

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

// What a checked number, duration or size says, in units, nanoseconds or bytes.
double read_amount(const Value& value, const Type& type);
Value show_amount(double amount, const Type& type);

void read_member(const Value& value, const Type& type, tasks::WeightsSource& out, WeightsFinder* weights);
std::optional<Value> show_member(const tasks::WeightsSource& member, const Type& type);

template <class T>
void read_member(const Value& value, const Type& type, T& out, WeightsFinder* weights) {
  const Type& fit = type.fitting(value);
  if constexpr (std::same_as<T, bool>) {
    out = read_boolean(value.text).value_or(false);
  } else if constexpr (std::integral<T>) {
    switch (fit.kind) {
      case Type::Kind::duration: out = static_cast<T>(read_duration(value.text).value_or(0)); break;
      case Type::Kind::bytes: out = static_cast<T>(read_bytes(value.text).value_or(0)); break;
      default: out = static_cast<T>(read_integer(value.text).value_or(0));
    }
  } else if constexpr (std::floating_point<T>) {
    out = read_amount(value, fit);
  } else if constexpr (std::is_enum_v<T>) {
    out = enum_named<T>(value.text);
  } else if constexpr (std::same_as<T, std::string>) {
    out = fit.kind == Type::Kind::path ? value.absolute : value.text;
  } else if constexpr (IsOptional<T>::value) {
    read_member(value, fit, out.emplace(), weights);
  } else if constexpr (IsVector<T>::value) {
    out.clear();
    if (!value.is_list()) return read_member(value, fit, out.emplace_back(), weights);
    for (const Value& item : value.items) read_member(item, fit.parts[0], out.emplace_back(), weights);
  } else {
    fill_section(fit.section(), &out, value, weights);
  }
}

template <class T>
std::optional<Value> show_member(const T& member, const Type& type) {
  if constexpr (std::same_as<T, bool>) {
    return plain_value(member ? "true" : "false");
  } else if constexpr (std::integral<T>) {
    if (type.kind == Type::Kind::duration) return text_value(write_duration(static_cast<std::int64_t>(member)));
    if (type.kind == Type::Kind::bytes) return text_value(write_bytes(static_cast<std::int64_t>(member)));
    return plain_value(std::to_string(member));
  } else if constexpr (std::floating_point<T>) {
    return show_amount(member, type);
  } else if constexpr (std::is_enum_v<T>) {
    const std::string name(enum_name(member));
    return name.empty() ? std::nullopt : std::optional(text_value(name));
  } else if constexpr (std::same_as<T, std::string>) {
    return member.empty() ? std::nullopt : std::optional(text_value(member));
  } else if constexpr (IsOptional<T>::value) {
    return member ? show_member(*member, type) : std::nullopt;
  } else if constexpr (IsVector<T>::value) {
    if (member.empty()) return std::nullopt;
    Value shown;
    shown.kind = Value::Kind::list;
    const Type& as_list = type.fitting(shown);
    for (const auto& each : member) {
      if (auto item = show_member(each, as_list.parts[0])) shown.items.push_back(std::move(*item));
    }
    return shown;
  } else {
    Value as_map = map_value();
    return show_section(type.fitting(as_map).section(), &member);
  }
}

template <class Spec, class Member>
Key key(std::string name, Type type, Member Spec::*member, std::string doc, std::string otherwise = {}) {
  Key made{std::move(name), std::move(type), std::move(doc), std::move(otherwise), false, {}, {}};
  made.fill = [member](void* spec, const Value& value, const Type& of, WeightsFinder* weights) {
    read_member(value, of, static_cast<Spec*>(spec)->*member, weights);
  };
  made.show = [member](const void* spec, const Type& of) {
    return show_member(static_cast<const Spec*>(spec)->*member, of);
  };
  return made;
}

// Where the file's form isn't the member's: `fill(Spec&, const Value&, const Type&, WeightsFinder*)` and
// `show(const Spec&, const Type&) → optional<Value>`.
template <class Spec, class Fill, class Show>
Key custom_key(std::string name, Type type, std::string doc, std::string otherwise, Fill fill, Show show) {
  Key made{std::move(name), std::move(type), std::move(doc), std::move(otherwise), false, {}, {}};
  made.fill = [fill](void* spec, const Value& value, const Type& of, WeightsFinder* weights) {
    fill(*static_cast<Spec*>(spec), value, of, weights);
  };
  made.show = [show](const void* spec, const Type& of) -> std::optional<Value> {
    return show(*static_cast<const Spec*>(spec), of);
  };
  return made;
}

// A key that the loader itself reads.
Key loader_key(std::string name, Type type, std::string doc, std::string otherwise = {});
Key required(Key key);

template <class Spec>
Section section(std::string name, std::string doc, std::vector<Key> keys) {
  Section made{std::move(name), std::move(doc), std::move(keys), {}, false, {}};
  made.defaults = [all = made] {
    const Spec spec{};
    return show_section(all, &spec);
  };
  return made;
}

}  // namespace edgelab::batch
