// GFLOP/s of the seventeen inverted residuals of MobileNetV2-224 (fp32 and bf16), the first with the first convolution in it,
// each alone, channels last, weights packed:
//   EDGELAB_BENCH_THREADS=2 ./bench_inverted_residual --benchmark_min_time=0.1
// EDGELAB_BENCH_BATCH sets the batch (1).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "core/random.hpp"
#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/pack_cache.hpp"

namespace {

using namespace edgelab;
using namespace edgelab::kernels;

struct Case {
  int features;  // the first layer of torchvision's names that it stands for
  std::int64_t size, channels, hidden, channels_out;
  int stride;
  int times;  // blocks of this shape

  bool residual() const { return stride == 1 && channels == channels_out; }
};

constexpr Case kCases[] = {
    {1, 224, 3, 32, 16, 1, 1},    {2, 112, 16, 96, 24, 2, 1},   {3, 56, 24, 144, 24, 1, 1},  {4, 56, 24, 144, 32, 2, 1},   {5, 28, 32, 192, 32, 1, 2},
    {7, 28, 32, 192, 64, 2, 1},   {8, 14, 64, 384, 64, 1, 3},   {11, 14, 64, 384, 96, 1, 1}, {12, 14, 96, 576, 96, 1, 2},  {14, 14, 96, 576, 160, 2, 1},
    {15, 7, 160, 960, 160, 1, 2}, {17, 7, 160, 960, 320, 1, 1},
};

int from_environment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

Tensor random(Shape shape, std::uint64_t key, float size) {
  Tensor tensor(DType::f32, shape);
  CounterRandom numbers(key);
  for (float& element : tensor.as<float>()) element = numbers.uniform(-size, size);
  return tensor;
}

void measure(benchmark::State& state, const Case& which, DType compute) {
  const int threads = from_environment("EDGELAB_BENCH_THREADS", 2);
  const std::int64_t batch = from_environment("EDGELAB_BENCH_BATCH", 1);
  InvertedResidual settings{which.stride, true, which.residual(), compute};
  const std::int64_t extent = which.features == 1 ? 3 : 1;
  if (which.features == 1) settings.expand_stride = 2, settings.expand_padding = 1;
  std::vector<Tensor> inputs = {random({batch, which.channels, which.size, which.size}, 1, 1)};
  inputs.push_back(random({which.hidden, which.channels, extent, extent}, 2, 0.3f));
  inputs.push_back(random({which.hidden}, 3, 1));
  inputs.push_back(random({which.hidden, 1, 3, 3}, 4, 0.5f));
  inputs.push_back(random({which.hidden}, 5, 1));
  inputs.push_back(random({which.channels_out, which.hidden, 1, 1}, 6, 0.1f));
  inputs.push_back(random({which.channels_out}, 7, 1));
  std::vector<TensorType> types;
  std::vector<Tensor> constants;
  std::vector<Layout> offered;
  for (const Tensor& input : inputs) {
    types.push_back({input.dtype(), input.shape()});
    constants.push_back(types.size() == 1 ? Tensor() : input);
    offered.push_back(types.size() == 1 ? Layout::channels_last(types.back()) : Layout::plain(types.back()));
  }
  const Op op = settings;
  const std::vector<TensorType> outputs = op.infer(types);
  PackCache packs;
  const Offer offer = inverted_residual_tile({op, types, outputs, constants, offered, threads, this_machine(), &packs});
  const PreparedKernel kernel = offer.prepare();
  Tensor y(outputs[0].dtype, outputs[0].shape);
  const auto scratch = allocate_aligned(offer.scratch_bytes);
  std::vector<const std::byte*> in(inputs.size(), nullptr);
  in[0] = inputs[0].data();
  std::byte* const out[] = {y.data()};
  const Step step = kernel.bind({in, out, scratch.get()});
  ThreadTeam team(threads);
  // Many runs in one region, as in an inference.
  constexpr int kRuns = 16;
  for (auto _ : state) {
    team.run([&](const Member& member) {
      for (int run = 0; run < kRuns; ++run) {
        step.run_part(member);
        member.barrier();
      }
    });
  }
  state.SetLabel(offer.detail);
  const double flop = static_cast<double>(op.flop(types, outputs)) * kRuns;
  state.counters["GFLOP/s"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  // Of all blocks of this shape, one inference.
  state.counters["us"] = benchmark::Counter(1e-6 * kRuns / which.times, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

int main(int argc, char** argv) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    for (const Case& which : kCases) {
      const std::string name = std::string(name_of(compute)) + "/features." + std::to_string(which.features) + "/" + std::to_string(which.size) + "x" +
                               std::to_string(which.channels) + "-" + std::to_string(which.hidden) + "-" + std::to_string(which.channels_out) +
                               (which.stride == 2 ? "/stride2" : "");
      benchmark::RegisterBenchmark(name.c_str(), measure, which, compute)->UseRealTime();
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
