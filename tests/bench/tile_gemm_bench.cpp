// GFLOP/s of each implementation of tile_gemm, operands in cache, one core:
//   taskset -c 0 ./bench_tile_gemm --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
// Figures of different implementations are only comparable within one run.
#include <benchmark/benchmark.h>

#include <string>

#include "core/random.hpp"
#include "core/tensor.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"

namespace {

using namespace edgelab;
using namespace edgelab::kernels::tile_gemm;

struct Case {
  const char* name;
  DType type;
  std::int64_t m, n, k;
  Activation activation;
  bool bias;
};

constexpr Case kCases[] = {
    {"f32", DType::f32, 16, 64, 64, Activation::none, false},
    {"f32", DType::f32, 32, 64, 192, Activation::none, false},
    {"f32", DType::f32, 64, 64, 384, Activation::none, false},
    {"f32", DType::f32, 64, 64, 960, Activation::none, false},
    {"f32_stem_relu6", DType::f32, 112, 32, 27, Activation::relu6, true},
    {"f32_expand_relu6", DType::f32, 56, 144, 24, Activation::relu6, true},
    {"f32_expand_relu6", DType::f32, 112, 96, 16, Activation::relu6, true},
    {"f32_expand_relu6", DType::f32, 196, 64, 96, Activation::relu6, true},
    {"f32_project", DType::f32, 49, 160, 960, Activation::none, true},
    {"f32_project", DType::f32, 56, 24, 144, Activation::none, true},
    {"f32_mlp_gelu", DType::f32, 99, 64, 192, Activation::gelu, true},
    {"bf16", DType::bf16, 64, 64, 384, Activation::none, false},
    {"bf16_mlp_gelu", DType::bf16, 99, 64, 192, Activation::gelu, true},
    {"u8_expand", DType::u8, 112, 96, 16, Activation::none, false},
    {"u8_expand", DType::u8, 56, 144, 24, Activation::none, false},
    {"u8_expand", DType::u8, 196, 64, 96, Activation::none, false},
    {"u8_expand", DType::u8, 196, 64, 64, Activation::none, false},
    {"u8_project", DType::u8, 56, 24, 144, Activation::none, false},
    {"u8_project", DType::u8, 98, 96, 384, Activation::none, false},
    {"u8_project", DType::u8, 49, 160, 960, Activation::none, false},
    {"u8_mlp_gelu", DType::u8, 99, 64, 192, Activation::gelu, true},
};

std::shared_ptr<std::byte> random_memory(std::size_t bytes, DType type, std::uint64_t key) {
  auto memory = allocate_aligned(bytes);
  CounterRandom random(key);
  for (std::size_t i = 0; i < bytes / size_of(type); ++i) {
    const float value = random.uniform(-1, 1);
    if (type == DType::f32) reinterpret_cast<float*>(memory.get())[i] = value;
    if (type == DType::u8) reinterpret_cast<std::uint8_t*>(memory.get())[i] = static_cast<std::uint8_t>(random.below(256));
    if (type == DType::bf16) reinterpret_cast<std::uint16_t*>(memory.get())[i] = float_to_bf16(value);
  }
  return memory;
}

void measure(benchmark::State& state, const Implementation& implementation, const Case& which) {
  Settings settings;
  settings.m = which.m;
  settings.n = settings.ldc = which.n;
  settings.k = settings.lda = which.k;
  settings.a = settings.b = which.type;
  // Of integers: requantised, its bias within the sum, but for gelu.
  const bool whole = which.type == DType::u8;
  if (whole) settings.b = DType::s8, settings.c = DType::u8;
  if (whole) settings.epilogue.scale = Scale::per_column, settings.epilogue.offset = true;
  settings.epilogue.bias = which.bias;
  settings.epilogue.activation = which.activation;
  if (const auto reason = implementation.refuses(settings, this_machine())) return state.SkipWithError(reason->c_str());
  const Kernel kernel = implementation.make(settings);
  const auto elements = [](std::int64_t rows, std::int64_t columns) { return static_cast<std::size_t>(rows * columns); };
  const auto a = random_memory(elements(which.m, which.k) * size_of(which.type), which.type, 1);
  const auto b = random_memory(elements(which.k, which.n) * size_of(which.type), which.type, 2);
  const auto bias = random_memory(elements(1, which.n) * sizeof(float), DType::f32, 3);
  const auto scale = random_memory(elements(1, which.n) * sizeof(float), DType::f32, 4);
  const auto offset = allocate_aligned(elements(1, which.n) * sizeof(std::int32_t));
  const auto c = allocate_aligned(elements(which.m, which.n) * sizeof(float));
  const auto packed = allocate_aligned(kernel.packed_bytes());
  const auto scratch = allocate_aligned(kernel.scratch_bytes());
  kernel.pack({b.get(), which.n, false}, packed.get());
  Arguments arguments;
  arguments.a = a.get();
  arguments.packed_b = packed.get();
  arguments.c = c.get();
  arguments.bias = reinterpret_cast<const float*>(bias.get());
  arguments.scale = reinterpret_cast<const float*>(scale.get());
  arguments.offset = reinterpret_cast<const std::int32_t*>(offset.get());
  arguments.scratch = scratch.get();
  for (auto _ : state) {
    kernel.run(arguments);
    benchmark::ClobberMemory();
  }
  const double operations = 2.0 * static_cast<double>(which.m * which.n * which.k);
  state.counters["GFLOP/s"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Case& which : kCases) {
    for (const Implementation& implementation : implementations()) {
      if (implementation.name == "reference") continue;
      const std::string name = std::string(which.name) + "/" + std::to_string(which.m) + "x" + std::to_string(which.n) + "x" + std::to_string(which.k) +
                               "/" + std::string(implementation.name);
      benchmark::RegisterBenchmark(name.c_str(), measure, implementation, which);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
