#pragma once

#include <nlohmann/json.hpp>
#include <type_traits>

#include "models/model.hpp"

namespace edgelab::test {

// A model as the golden answers name it.
inline models::ModelOptions options_from(const nlohmann::json& json) {
  models::ModelOptions options;
  const auto read = [&](const char* key, auto& into) {
    if (json.contains(key)) into = json[key].get<typename std::remove_reference_t<decltype(into)>::value_type>();
  };
  options.arch = json["arch"];
  read("classes", options.classes);
  read("input_size", options.input_size);
  read("img_size", options.img_size);
  read("patch_size", options.patch_size);
  read("depth", options.depth);
  read("embed_dim", options.embed_dim);
  read("num_heads", options.num_heads);
  read("width_mult", options.width_mult);
  return options;
}

}  // namespace edgelab::test
