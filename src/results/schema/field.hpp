#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "results/job_record.hpp"

// The words that the schema is written in: a record has fields (HDF5 attributes, or columns of a table) and parts (groups,
// tables, arrays, texts below it). schema.hpp spells out every record with them; writer, reader, JSON, CSV, verify and
// results/schema.md only walk what stands there.
namespace edgelab::results {

enum class Kind { text, status, integer32, integer64, real, flag };

// What a field holds at the moment; monostate: it is unknown.
using Value = std::variant<std::monostate, std::string, std::int64_t, double, bool>;

template <class Record>
using Member =
    std::variant<std::string Record::*, Status Record::*, int Record::*, std::int64_t Record::*, double Record::*,
                 bool Record::*, std::optional<std::int64_t> Record::*, std::optional<double> Record::*,
                 std::optional<std::string> Record::*>;

template <class Record>
struct Field {
  const char* name;
  Member<Record> member;
  const char* units;  // as UDUNITS spells them ("ns", "byte", "1"); "" for text
  const char* description;
  bool required = false;  // a file without it is not sound; others read as "unknown", so that older files stay readable
};

std::string_view name_of(Status status);
// Throws Error (data) for any other word.
Status status_of(std::string_view name);

// What the walkers need to know of a field, without its record's type.
struct FieldInfo {
  const char* name;
  Kind kind;
  bool optional;
  const char* units;
  const char* description;
  bool required;
};

namespace detail {
template <class T>
struct KindOf;
template <>
struct KindOf<std::string> {
  static constexpr Kind kind = Kind::text;
  static constexpr bool optional = false;
};
template <>
struct KindOf<Status> {
  static constexpr Kind kind = Kind::status;
  static constexpr bool optional = false;
};
template <>
struct KindOf<int> {
  static constexpr Kind kind = Kind::integer32;
  static constexpr bool optional = false;
};
template <>
struct KindOf<std::int64_t> {
  static constexpr Kind kind = Kind::integer64;
  static constexpr bool optional = false;
};
template <>
struct KindOf<double> {
  static constexpr Kind kind = Kind::real;
  static constexpr bool optional = false;
};
template <>
struct KindOf<bool> {
  static constexpr Kind kind = Kind::flag;
  static constexpr bool optional = false;
};
template <class T>
struct KindOf<std::optional<T>> {
  static constexpr Kind kind = KindOf<T>::kind;
  static constexpr bool optional = true;
};

template <class Record, class T>
T member_type(T Record::*);
}  // namespace detail

template <class Record>
FieldInfo info_of(const Field<Record>& field) {
  return std::visit(
      [&](auto member) {
        using T = decltype(detail::member_type(member));
        return FieldInfo{field.name,  detail::KindOf<T>::kind, detail::KindOf<T>::optional,
                         field.units, field.description,       field.required};
      },
      field.member);
}

template <class Record>
Value value_of(const Record& record, const Field<Record>& field) {
  return std::visit(
      [&](auto member) -> Value {
        using T = decltype(detail::member_type(member));
        const T& held = record.*member;
        if constexpr (std::is_same_v<T, Status>)
          return std::string(name_of(held));
        else if constexpr (std::is_same_v<T, int>)
          return static_cast<std::int64_t>(held);
        else if constexpr (detail::KindOf<T>::optional)
          return held ? Value(*held) : Value();
        else
          return held;
      },
      field.member);
}

// `value` must be of the field's kind (integers for integer fields, …). Throws Error (data) for an unknown status word or
// an integer that the member can't hold.
template <class Record>
void set_value(Record& record, const Field<Record>& field, Value value);

int narrowed_to_int(std::int64_t value, const char* field);

template <class Record>
void set_value(Record& record, const Field<Record>& field, Value value) {
  if (std::holds_alternative<std::monostate>(value)) return;
  std::visit(
      [&](auto member) {
        using T = decltype(detail::member_type(member));
        if constexpr (std::is_same_v<T, Status>)
          record.*member = status_of(std::get<std::string>(value));
        else if constexpr (std::is_same_v<T, int>)
          record.*member = narrowed_to_int(std::get<std::int64_t>(value), field.name);
        else if constexpr (detail::KindOf<T>::optional)
          record.*member = std::get<typename T::value_type>(std::move(value));
        else
          record.*member = std::get<T>(std::move(value));
      },
      field.member);
}

// One axis of an array. The extent of one whose `extent` is monostate follows from the number of elements.
template <class Record>
struct Axis {
  const char* name;
  std::variant<std::monostate, std::int64_t Record::*, int Record::*> extent;
};

template <class Record, class Element>
struct ArrayPart {
  const char* name;
  std::vector<Element> Record::*data;
  std::vector<Axis<Record>> axes;
  const char* units;
  const char* description;
  bool Record::*kept = nullptr;  // where given, the HDF5 file holds the array only if this is true
};

// Whether a group is written, and what it is called. (type_identity: a lambda may stand for them.)
template <class Record>
using Presence = std::type_identity_t<bool (*)(const Record&)>;
template <class Record>
using Key = std::type_identity_t<std::string (*)(const Record&)>;

template <class Record>
std::int64_t extent_of(const Record& record, const Axis<Record>& axis) {
  if (const auto* wide = std::get_if<std::int64_t Record::*>(&axis.extent)) return record.**wide;
  if (const auto* narrow = std::get_if<int Record::*>(&axis.extent)) return record.**narrow;
  return -1;
}

template <class Record>
void set_extent(Record& record, const Axis<Record>& axis, std::int64_t extent) {
  if (const auto* wide = std::get_if<std::int64_t Record::*>(&axis.extent)) record.** wide = extent;
  if (const auto* narrow = std::get_if<int Record::*>(&axis.extent))
    record.** narrow = narrowed_to_int(extent, axis.name);
}

// Extents of the array as the record has it. Throws std::logic_error if the elements don't fill them: a bug of the caller.
std::vector<std::int64_t> filled_extents(const char* name, std::size_t elements, std::vector<std::int64_t> extents);

template <class Record, class Element>
std::vector<std::int64_t> extents_of(const Record& record, const ArrayPart<Record, Element>& part) {
  std::vector<std::int64_t> extents;
  for (const auto& axis : part.axes) extents.push_back(extent_of(record, axis));
  return filled_extents(part.name, (record.*part.data).size(), std::move(extents));
}

// Of each record; schema.hpp says what it gives.
template <class Record>
struct Schema;

}  // namespace edgelab::results
