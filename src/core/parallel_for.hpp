#pragma once

#include <cstdint>

namespace edgelab {

// Splits [0, count) into at most `threads` contiguous parts of near-equal length and calls part(begin, end) for each, one
// a thread; returns when all have ended. The split depends on count and threads alone, so results don't vary from run to
// run. Exceptions must not leave `part`.
//
// The threads are OpenMP's: oneDNN's OpenMP build then shares one team with our kernels rather than fighting a second
// one for the cores. `part` is a reference to a callable, not a std::function, so that a call allocates nothing.
template <class Part> void parallel_for(std::int64_t count, int threads, const Part& part);

// Sets how many threads libraries that share the OpenMP team (oneDNN) use when called from this thread.
void use_threads(int threads);

namespace detail {
using PartFunction = void (*)(const void* part, std::int64_t begin, std::int64_t end);
void run_parts(std::int64_t count, int threads, PartFunction function, const void* part);
}  // namespace detail

template <class Part> void parallel_for(std::int64_t count, int threads, const Part& part) {
  detail::run_parts(
      count, threads, [](const void* callable, std::int64_t begin, std::int64_t end) { (*static_cast<const Part*>(callable))(begin, end); }, &part);
}

}  // namespace edgelab
