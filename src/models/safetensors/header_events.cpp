#include "models/safetensors/header_events.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

namespace {

constexpr std::array kTypes = {DType::f32, DType::f16, DType::bf16, DType::s8, DType::u8, DType::s32, DType::s64};
constexpr const char* kMetadata = "__metadata__";

std::optional<DType> type_named(std::string_view name) {
  for (const DType type : kTypes) {
    if (safetensors_name_of(type) == name) return type;
  }
  return std::nullopt;
}

}  // namespace

std::string HeaderEvents::expected_here() const {
  switch (inside_) {
    case Inside::nothing: return "an object {…} of tensors";
    case Inside::file: return "an object {…} that describes a tensor";
    case Inside::metadata: return "a text";
    case Inside::numbers: return "whole numbers, none negative";
    case Inside::tensor: break;
  }
  return field_ == "dtype" ? "a text" : field_.empty() ? "dtype, shape and data_offsets" : "a list of whole numbers";
}

void HeaderEvents::refuse(const std::string& got) const {
  std::string what = "the header is not that of a safetensors file";
  if (!name_.empty() || inside_ != Inside::nothing) what += fmt::format(": entry {}", shown(name_));
  if (!field_.empty()) what += fmt::format(", key {}", shown(field_));
  throw Error(ErrorKind::data, what).at({file_}).got(got).expected(expected_here());
}

bool HeaderEvents::null() { refuse("null"); }
bool HeaderEvents::boolean(bool) { refuse("true or false"); }
bool HeaderEvents::number_float(Json::number_float_t, const Json::string_t& text) { refuse(shown(text)); }
bool HeaderEvents::binary(Json::binary_t&) { refuse("binary data"); }
bool HeaderEvents::number_integer(Json::number_integer_t value) { refuse(std::to_string(value)); }

bool HeaderEvents::number_unsigned(Json::number_unsigned_t value) {
  if (inside_ != Inside::numbers) refuse(std::to_string(value));
  // Nothing longer than a shape is needed, so nothing longer is kept.
  const std::size_t most = field_ == "shape" ? static_cast<std::size_t>(Shape::kMaxRank) : 2;
  if (numbers_.size() == most) {
    throw Error(ErrorKind::data, fmt::format("tensor {}: too many numbers in {}", shown(name_), field_))
        .at({file_}).expected(fmt::format("at most {}", most));
  }
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) refuse(std::to_string(value));
  numbers_.push_back(value);
  return true;
}

bool HeaderEvents::string(Json::string_t& value) {
  if (inside_ == Inside::metadata) {
    header_.metadata[field_] = std::move(value);
    return true;
  }
  if (inside_ != Inside::tensor || field_ != "dtype") refuse(shown(value));
  const std::optional<DType> type = type_named(value);
  if (!type) {
    throw Error(ErrorKind::data, fmt::format("tensor {} has an element type that edgelab doesn't read", shown(name_)))
        .at({file_}).got(shown(value)).expected("F32, F16, BF16, I8, U8, I32 or I64")
        .hint("convert the tensor where the file was made");
  }
  entry_.dtype = *type;
  return true;
}

bool HeaderEvents::start_object(std::size_t) {
  if (inside_ == Inside::nothing && !done_) {
    inside_ = Inside::file;
  } else if (inside_ == Inside::file) {
    inside_ = name_ == kMetadata ? Inside::metadata : Inside::tensor;
    fields_.clear();
    entry_ = HeaderEntry{name_, DType::f32, Shape{}, 0, 0};
  } else {
    refuse("an object {…}");
  }
  return true;
}

bool HeaderEvents::end_object() {
  if (inside_ == Inside::file) {
    inside_ = Inside::nothing;
    done_ = true;
    return true;
  }
  if (inside_ == Inside::tensor) finish_tensor();
  field_.clear();
  inside_ = Inside::file;
  return true;
}

void HeaderEvents::finish_tensor() {
  for (const char* field : {"dtype", "shape", "data_offsets"}) {
    if (fields_.count(field) == 0) {
      throw Error(ErrorKind::data, fmt::format("tensor {} lacks a key", shown(name_))).at({file_}).expected(field);
    }
  }
  header_.tensors.push_back(std::move(entry_));
}

bool HeaderEvents::start_array(std::size_t) {
  if (inside_ != Inside::tensor || field_ == "dtype") refuse("a list […]");
  inside_ = Inside::numbers;
  numbers_.clear();
  return true;
}

bool HeaderEvents::end_array() {
  inside_ = Inside::tensor;
  if (field_ == "shape") {
    const std::vector<std::int64_t> extents(numbers_.begin(), numbers_.end());
    entry_.shape = Shape(extents);
    return true;
  }
  if (numbers_.size() != 2) refuse(fmt::format("{} numbers", numbers_.size()));
  entry_.begin = numbers_[0];
  entry_.end = numbers_[1];
  return true;
}

bool HeaderEvents::key(Json::string_t& value) {
  if (inside_ == Inside::file) {
    name_ = std::move(value);
    if (names_.insert(name_).second) return true;
    throw Error(ErrorKind::data, fmt::format("the header names {} twice", shown(name_))).at({file_});
  }
  field_ = std::move(value);
  if (inside_ == Inside::metadata) {
    if (header_.metadata.count(field_) == 0) return true;
  } else if (field_ != "dtype" && field_ != "shape" && field_ != "data_offsets") {
    throw Error(ErrorKind::data, fmt::format("tensor {} has an unknown key", shown(name_)))
        .at({file_}).got(shown(field_)).expected("dtype, shape, data_offsets");
  } else if (fields_.insert(field_).second) {
    return true;
  }
  throw Error(ErrorKind::data, fmt::format("entry {} names {} twice", shown(name_), shown(field_))).at({file_});
}

bool HeaderEvents::parse_error(std::size_t position, const std::string& last_token, const Json::exception&) {
  throw Error(ErrorKind::data, "the header of the safetensors file is not JSON")
      .at({file_}).got(fmt::format("{} at byte {}", shown(last_token), position + 8))
      .hint("the file is damaged, or not a safetensors file");
}

}  // namespace edgelab::models
