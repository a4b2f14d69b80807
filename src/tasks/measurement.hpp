#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "runtime/executable.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// One timed call: normalised tensor in memory → logits.
inline std::int64_t timed_call(runtime::Executable& executable) {
  const std::int64_t before = now_ns();
  executable.run();
  return now_ns() - before;
}

// Calls in one repeat of `bench`: as many as fit in 0.3 s, within bounds, so that a fast model is not judged by five numbers.
inline std::int64_t bench_calls_per_repeat(std::int64_t call_ns) {
  return std::clamp<std::int64_t>(300'000'000 / std::max<std::int64_t>(call_ns, 1), 5, 1000);
}

inline void fill_input(runtime::Executable& executable, std::span<const float> images) {
  std::copy(images.begin(), images.end(), executable.input().as<float>().begin());
}

// Made-up images.
inline void fill_with_noise(runtime::Executable& executable, std::uint64_t seed) {
  CounterRandom random(stream_key(seed, "bench"));
  Tensor input = executable.input();
  for (float& element : input.as<float>()) element = random.normal();
}

inline void throw_if_cancelled(const TaskContext& context) {
  if (context.cancelled && context.cancelled()) throw Cancelled();
}

// `samples_per_second`: of the call just made, where it was one of samples.
inline void report(const TaskContext& context, double fraction, const char* what, std::optional<double> samples_per_second = {}) {
  if (context.progress) context.progress({fraction, what, {}, samples_per_second, {}});
}

inline double rate_of(std::int64_t samples, std::int64_t time_ns) { return 1e9 * static_cast<double>(samples) / static_cast<double>(std::max<std::int64_t>(time_ns, 1)); }

}  // namespace edgelab::tasks
