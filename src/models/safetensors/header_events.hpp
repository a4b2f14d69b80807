#pragma once

// Only header.cpp and header_events.cpp include this: it needs nlohmann/json.hpp.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "models/safetensors/header.hpp"

namespace edgelab::models {

// Takes the events of nlohmann's parser and builds a Header of them. Throws Error (data) at the first that doesn't fit:
//   {"__metadata__": {TEXT: TEXT…}, NAME: {"dtype": TEXT, "shape": [INTEGER…], "data_offsets": [INTEGER, INTEGER]}…}
class HeaderEvents {
 public:
  using Json = nlohmann::json;
  explicit HeaderEvents(std::string file) : file_(std::move(file)) {}
  Header take() && { return std::move(header_); }

  bool null();
  bool boolean(bool value);
  bool number_integer(Json::number_integer_t value);
  bool number_unsigned(Json::number_unsigned_t value);
  bool number_float(Json::number_float_t value, const Json::string_t& text);
  bool string(Json::string_t& value);
  bool binary(Json::binary_t& value);
  bool start_object(std::size_t count);
  bool end_object();
  bool start_array(std::size_t count);
  bool end_array();
  bool key(Json::string_t& value);
  bool parse_error(std::size_t position, const std::string& last_token, const Json::exception& exception);

 private:
  enum class Inside { nothing, file, metadata, tensor, numbers };

  [[noreturn]] void refuse(const std::string& got) const;
  std::string expected_here() const;
  void finish_tensor();

  std::string file_;
  Header header_;
  Inside inside_ = Inside::nothing;
  bool done_ = false;
  std::set<std::string> names_;   // tensors met so far, and "__metadata__"
  std::set<std::string> fields_;  // keys of the tensor we are inside
  std::string name_, field_;
  std::vector<std::uint64_t> numbers_;
  HeaderEntry entry_;
};

}  // namespace edgelab::models
