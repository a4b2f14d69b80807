#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// Whole numbers out of JSON that others may have written. nlohmann::json's own conversion takes 1e300 for an int, which is undefined, and
// cuts a long number to a short one without a word. Includes nothing of that library: whoever reads JSON has it.
namespace edgelab {

// Of a json or an ordered_json. Throws the library's own type_error for what is no whole number, or none of T's.
template <class T, class Json> T whole_number(const Json& value) {
  const bool fits =
      value.is_number_unsigned() ? std::in_range<T>(value.template get<std::uint64_t>()) : value.is_number_integer() && std::in_range<T>(value.template get<std::int64_t>());
  if (fits) return value.template get<T>();
  throw Json::type_error::create(302, "type must be a whole number that fits, but is " + value.dump().substr(0, 40), &value);
}

// Of an array of them. Throws the same.
template <class T, class Json> std::vector<T> whole_numbers(const Json& array) {
  if (!array.is_array()) throw Json::type_error::create(302, std::string("type must be array, but is ") + array.type_name(), &array);
  std::vector<T> numbers;
  numbers.reserve(array.size());
  for (const Json& value : array) numbers.push_back(whole_number<T>(value));
  return numbers;
}

// The member of an object, into a field of a struct.
template <class T, class Json> void read_member(const Json& object, const char* key, T& to) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    to = whole_number<T>(object.at(key));
  } else {
    object.at(key).get_to(to);
  }
}

}  // namespace edgelab

// NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE with read_member(): a struct's fields as the members of an object, both ways. In the struct's namespace.
#define EDGELAB_READ_MEMBER(field) ::edgelab::read_member(nlohmann_json_j, #field, nlohmann_json_t.field);
#define EDGELAB_JSON_MEMBERS(Type, ...)                                                        \
  inline void to_json(nlohmann::json& nlohmann_json_j, const Type& nlohmann_json_t) {          \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__))                   \
  }                                                                                            \
  inline void from_json(const nlohmann::json& nlohmann_json_j, Type& nlohmann_json_t) {        \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(EDGELAB_READ_MEMBER, __VA_ARGS__))                \
  }
