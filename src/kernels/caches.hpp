#pragma once

#include <cstdint>

namespace edgelab::kernels {

// Whether a result of this size is written past the caches: it would displace all that they hold, and be gone itself when it is
// read again.
constexpr bool goes_past_caches(std::int64_t bytes) { return bytes > (std::int64_t{16} << 20); }

}  // namespace edgelab::kernels
