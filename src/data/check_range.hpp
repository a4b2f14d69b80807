#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace edgelab::data {

// Of both loaders.
inline constexpr int kMaxBatch = 65536, kMaxLoaderThreads = 256, kMaxLoaderDepth = 65536;

// Throws Error (usage) unless low ≤ value ≤ high.
inline void check_range(std::string_view what, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  throw Error(ErrorKind::usage, fmt::format("{} is out of range", what))
      .got(std::to_string(value))
      .expected(fmt::format("{} to {}", low, high));
}

}  // namespace edgelab::data
