// Nanoseconds an element of vector_math's functions, from L1, beside the C library's:
//   taskset -c 0 ./bench_vector_math --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
// Highway's own exp, in the same loop, took 1.5 times as long as exp and 2.6 times as long as exp2_nonpositive (AVX-512, Zen 4); it is not
// built here.
#include <benchmark/benchmark.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "kernels/vector_math/vector_math.hpp"

namespace {

namespace vm = edgelab::kernels::vector_math;

void measure(benchmark::State& state, const std::function<void(const float*, float*, std::int64_t)>& map, float low, float high) {
  constexpr std::int64_t kCount = 2048;
  std::vector<float> x(kCount), y(kCount);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = low + (high - low) * static_cast<float>(i) / static_cast<float>(kCount);
  for (auto _ : state) {
    map(x.data(), y.data(), kCount);
    benchmark::ClobberMemory();
  }
  state.counters["elements"] = benchmark::Counter(static_cast<double>(kCount), benchmark::Counter::kIsIterationInvariantRate);
}

template <float (*kFunction)(float)> void one_by_one(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = kFunction(x[i]);
}

float gelu_by_erf(float x) { return 0.5f * x * (1.0f + std::erf(x / std::numbers::sqrt2_v<float>)); }

void add(const char* name, const std::function<void(const float*, float*, std::int64_t)>& map, float low, float high) {
  benchmark::RegisterBenchmark(name, measure, map, low, high);
}

}  // namespace

int main(int argc, char** argv) {
  const vm::Functions functions = vm::functions();
  add("exp", functions.exp, -20.0f, 20.0f);
  add("exp/c_library", one_by_one<std::exp>, -20.0f, 20.0f);
  add("exp2_nonpositive", functions.exp2_nonpositive, -30.0f, 0.0f);
  add("exp2_nonpositive_bf16", functions.exp2_nonpositive_bf16, -30.0f, 0.0f);
  add("erf", functions.erf, -4.0f, 4.0f);
  add("erf/c_library", one_by_one<std::erf>, -4.0f, 4.0f);
  add("gelu", functions.gelu, -6.0f, 6.0f);
  add("gelu_bf16", functions.gelu_bf16, -6.0f, 6.0f);
  add("gelu/c_library", one_by_one<gelu_by_erf>, -6.0f, 6.0f);
  add("softmax", [&](const float* x, float* y, std::int64_t count) { functions.softmax(x, y, count, 1.0f); }, -6.0f, 6.0f);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
