#pragma once

namespace edgelab::detail {

// Calls function(work, index, count) on each thread of one OpenMP parallel region of `threads`, or of fewer where there are
// no more to be had; returns when all have returned. What the caller wrote before, they see, and the other way round.
using RegionFunction = void (*)(const void* work, int index, int count);
void run_region(int threads, RegionFunction function, const void* work);

}  // namespace edgelab::detail
