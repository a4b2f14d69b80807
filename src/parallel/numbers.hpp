#pragma once

#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "parallel/communicator.hpp"
#include "parallel/request.hpp"

namespace edgelab::parallel {

// Plain values and text as the bytes of a message, and back. An empty list is no bytes.
template <class T> Bytes bytes_of(std::span<const T> values) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto all = std::as_bytes(values);
  return {all.begin(), all.end()};
}

template <class T> std::vector<T> values_of(const Bytes& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

// What each rank says, in the ranks' order. Collective.
template <class T> std::vector<T> value_of_each(const Communicator& communicator, const T& mine) {
  std::vector<T> all;
  for (const Bytes& bytes : communicator.all_gather(std::as_bytes(std::span(&mine, 1)))) all.push_back(values_of<T>(bytes).front());
  return all;
}

inline std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace edgelab::parallel
