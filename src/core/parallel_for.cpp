#include "core/parallel_for.hpp"

#include <omp.h>

#include <algorithm>

namespace edgelab {

void use_threads(int threads) { omp_set_num_threads(threads); }

namespace detail {

void run_parts(std::int64_t count, int threads, PartFunction function, const void* part) {
  const std::int64_t parts = std::min<std::int64_t>(threads, count);
  if (parts <= 1) {
    if (count > 0) function(part, 0, count);
    return;
  }
#pragma omp parallel for num_threads(static_cast<int>(parts)) schedule(static, 1)
  for (std::int64_t i = 0; i < parts; ++i) function(part, count * i / parts, count * (i + 1) / parts);
}

}  // namespace detail
}  // namespace edgelab
