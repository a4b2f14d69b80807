#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/image.hpp"

namespace edgelab::data {

// What every kind of data set comes down to: one split of it, whole, in file order. The functions may be called from any
// thread at the same time, and hold what they need.
struct Source {
  std::string place;  // where it was read from, for people
  std::vector<std::string> class_names;
  std::vector<std::int32_t> labels;  // [samples], each in [0, classes)
  std::function<Image(std::int64_t)> image;
  // sha256 over what these samples were read or made from. Slow (reads the files): called when asked for.
  std::function<std::string(std::span<const std::int64_t>)> hash;
};

}  // namespace edgelab::data
