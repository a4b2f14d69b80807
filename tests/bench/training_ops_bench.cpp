// What one training step of a vision transformer is made of, each op by each of its implementations, on DeiT's shapes:
//   ./bench_training_ops --benchmark_filter='fp32' [--threads=2] [--batch=16] [--width=192] [--sets=4]
// Weights change in each step, so that none is known when a step is prepared. Several sets of buffers take turns, since a
// step's values come from memory.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "core/random.hpp"
#include "core/thread_team.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "kernels/attention_backward/attention_backward.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_backward/layer_norm_backward.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"
#include "kernels/linear_backward/linear_backward_weights.hpp"
#include "kernels/pack_cache.hpp"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"
#include "kernels/sum_to/sum_to.hpp"
#include "kernels/tokens/tokens.hpp"

namespace {

using namespace edgelab;
using namespace edgelab::kernels;

std::size_t kSets = 4;
int g_threads = 2;
std::int64_t g_batch = 16, g_width = 192;

Tensor random_tensor(const TensorType& type, std::uint64_t key) {
  Tensor tensor(type.dtype, type.shape);
  CounterRandom random(key);
  for (float& value : tensor.as<float>()) value = random.uniform(-1, 1);
  return tensor;
}

struct Layer {
  std::string name;
  Op op;
  std::vector<Shape> shapes;
};

std::vector<Layer> layers(DType compute) {
  const std::int64_t d = g_width, n = g_batch, t = 197, heads = d / 64;
  const Shape x{n, t, d}, hidden{n, t, 4 * d}, qkv{n, t, 3 * d};
  std::vector<Layer> all;
  const auto linear = [&](const std::string& name, std::int64_t k, std::int64_t o) {
    const Shape in{n, t, k}, out{n, t, o};
    Linear forward{true};
    LinearBackwardData data;
    LinearBackwardWeights weights{true};
    forward.compute = data.compute = weights.compute = compute;
    all.push_back({"linear/" + name, forward, {in, {o, k}, {o}}});
    all.push_back({"linear_backward_data/" + name, data, {out, {o, k}}});
    all.push_back({"linear_backward_weights/" + name, weights, {in, out}});
  };
  linear("qkv", d, 3 * d);
  linear("projection", d, d);
  linear("up", d, 4 * d);
  linear("down", 4 * d, d);
  AttentionBackward attention{.heads = static_cast<int>(heads), .compute = compute};
  all.push_back({"attention", attention.forward(), {qkv}});
  all.push_back({"attention_backward", attention, {qkv, x, {n, heads, t}, x}});
  if (compute != DType::f32) return all;
  all.push_back({"layer_norm", LayerNorm{}, {x, {d}, {d}}});
  all.push_back({"layer_norm_backward", LayerNormBackward{}, {x, {d}, x}});
  all.push_back({"gelu", Activation{ActivationKind::gelu}, {hidden}});
  all.push_back({"gelu_backward", ActivationBackward{ActivationKind::gelu}, {hidden, hidden}});
  all.push_back({"add", Binary{}, {x, x}});
  all.push_back({"add_positions", Binary{}, {x, {1, t, d}}});
  all.push_back({"sum_to_positions", SumTo{{1, t, d}}, {x}});
  all.push_back({"concat_tokens", ConcatTokens{}, {{1, 1, d}, {n, t - 1, d}}});
  all.push_back({"slice_tokens", SliceTokens{1, t - 1}, {x}});
  all.push_back({"place_token", PlaceToken{0, t}, {{n, d}}});
  all.push_back({"softmax_cross_entropy", SoftmaxCrossEntropy{}, {{n, 1000}, {n, 1000}}});
  return all;
}

void measure(benchmark::State& state, const Layer& layer, const Implementation& implementation) {
  std::vector<TensorType> types;
  std::vector<Layout> offered;
  for (const Shape& shape : layer.shapes) types.push_back({DType::f32, shape}), offered.push_back(Layout::plain(types.back()));
  const std::vector<TensorType> results = layer.op.infer(types);
  const std::vector<Tensor> constants(types.size());
  PackCache packs;
  const Offer offer = implementation.offer(CallSite{layer.op, types, results, constants, offered, g_threads, this_machine(), &packs});
  if (offer.refusal) return state.SkipWithError(offer.refusal->c_str());
  const std::shared_ptr<std::byte> scratch = allocate_aligned(offer.scratch_bytes);
  const PreparedKernel kernel = offer.prepare();
  std::vector<Tensor> kept;
  std::vector<Step> steps;
  for (std::size_t set = 0; set < kSets; ++set) {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
    for (std::size_t i = 0; i < types.size(); ++i) inputs.push_back(kept.emplace_back(random_tensor(types[i], set * 10 + i)).data());
    for (const TensorType& type : results) outputs.push_back(kept.emplace_back(type.dtype, type.shape).data());
    steps.push_back(kernel.bind({inputs, outputs, scratch.get()}));
  }
  ThreadTeam team(g_threads);
  for (auto _ : state) {
    for (const Step& step : steps) step.run(team);
  }
  const double flop = static_cast<double>(layer.op.flop(types, results)) * static_cast<double>(kSets);
  state.counters["GFLOP/s"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["ms"] = benchmark::Counter(kSets * 1e-3, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

int main(int argc, char** argv) {
  const auto take = [&](const char* name, auto& value) {
    for (int i = 1; i < argc; ++i) {
      if (std::strncmp(argv[i], name, std::strlen(name)) != 0) continue;
      value = std::atoi(argv[i] + std::strlen(name));
      for (int j = i; j + 1 < argc; ++j) argv[j] = argv[j + 1];
      --argc;
      return;
    }
  };
  take("--threads=", g_threads);
  take("--batch=", g_batch);
  take("--width=", g_width);
  take("--sets=", kSets);
  for (const DType compute : {DType::f32, DType::bf16}) {
    for (const Layer& layer : layers(compute)) {
      for (const Implementation& implementation : layer.op.implementations()) {
        if (implementation.name == "reference") continue;
        const std::string name = layer.name + "/" + std::string(name_of(compute)) + "/" + std::string(implementation.name);
        benchmark::RegisterBenchmark(name.c_str(), measure, layer, implementation)->UseRealTime()->Unit(benchmark::kMillisecond);
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
