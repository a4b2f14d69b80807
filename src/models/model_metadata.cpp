#include "models/model_metadata.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/error.hpp"

namespace edgelab::models {

namespace {

constexpr const char* kPrefix = "edgelab.model.";

struct Entry {
  const char* name;
  std::optional<int> ModelOptions::*member;
};

constexpr Entry kEntries[] = {
    {"classes", &ModelOptions::classes},       {"input_size", &ModelOptions::input_size}, {"img_size", &ModelOptions::img_size},
    {"patch_size", &ModelOptions::patch_size}, {"depth", &ModelOptions::depth},           {"embed_dim", &ModelOptions::embed_dim},
    {"num_heads", &ModelOptions::num_heads},
};

// All of the text as one number, or an Error.
template <class Number> Number number_of(const std::string& key, const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  throw Error(ErrorKind::data, "the metadata of the weights is damaged: " + key).got(text).expected("a number");
}

}  // namespace

std::map<std::string, std::string> metadata_of(const ModelOptions& options) {
  std::map<std::string, std::string> metadata;
  metadata[std::string(kPrefix) + "arch"] = options.arch;
  for (const Entry& entry : kEntries) {
    if (const auto& value = options.*entry.member) metadata[std::string(kPrefix) + entry.name] = std::to_string(*value);
  }
  if (options.width_mult) metadata[std::string(kPrefix) + "width_mult"] = fmt::format("{}", *options.width_mult);
  return metadata;
}

ModelOptions options_of(const std::map<std::string, std::string>& metadata) {
  ModelOptions options;
  const auto find = [&](const std::string& name) {
    const auto found = metadata.find(kPrefix + name);
    return found == metadata.end() ? nullptr : &found->second;
  };
  if (const std::string* arch = find("arch")) options.arch = *arch;
  for (const Entry& entry : kEntries) {
    if (const std::string* text = find(entry.name)) options.*entry.member = number_of<int>(entry.name, *text);
  }
  if (const std::string* text = find("width_mult")) options.width_mult = number_of<double>("width_mult", *text);
  return options;
}

}  // namespace edgelab::models
