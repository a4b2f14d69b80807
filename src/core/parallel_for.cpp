#include "core/parallel_for.hpp"

#include <omp.h>

#include <algorithm>

#include "core/parallel_region.hpp"

namespace edgelab {

void use_threads(int threads) { omp_set_num_threads(threads); }

namespace detail {

void run_parts(std::int64_t count, int threads, PartFunction function, const void* part) {
  const std::int64_t parts = std::min<std::int64_t>(threads, count);
  if (parts <= 1) {
    if (count > 0) function(part, 0, count);
    return;
  }
  struct Split {
    PartFunction function;
    const void* part;
    std::int64_t count, parts;
  };
  const Split split{function, part, count, parts};
  run_region(
      static_cast<int>(parts),
      [](const void* opaque, int index, int threads_got) {
        const Split& s = *static_cast<const Split*>(opaque);
        for (std::int64_t i = index; i < s.parts; i += threads_got) s.function(s.part, s.count * i / s.parts, s.count * (i + 1) / s.parts);
      },
      &split);
}

}  // namespace detail
}  // namespace edgelab
