#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace edgelab::results {

// By SpanKind.
inline constexpr std::array<const char*, 4> kSpanNames{"compute", "send", "receive", "wait"};

// Of a number that may have come from any file.
inline const char* name_of_span(std::int32_t kind) {
  return kind >= 0 && static_cast<std::size_t>(kind) < kSpanNames.size() ? kSpanNames[static_cast<std::size_t>(kind)]
                                                                         : "?";
}

}  // namespace edgelab::results
