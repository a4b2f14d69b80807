// GFLOP/s of the transformer's fused ops by a team, on DeiT's shapes:
//   ./bench_transformer_ops --benchmark_filter='mlp.*b1' [--threads=2]
// The weights of twelve blocks take turns, as in a model: one block's would stay in cache. Limit on a Zen 4: 112 GFLOP/s a
// core in fp32, 220 in bf16.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "core/random.hpp"
#include "core/thread_team.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/mlp/tile_mlp.hpp"
#include "kernels/pack_cache.hpp"
#include "kernels/patch_embed/patch_embed.hpp"

namespace {

using namespace edgelab;
using namespace edgelab::kernels;

constexpr std::size_t kBlocks = 12;
int g_threads = 2;

Tensor random_tensor(Shape shape, std::uint64_t key) {
  Tensor tensor(DType::f32, shape);
  CounterRandom random(key);
  for (float& value : tensor.as<float>()) value = random.uniform(-1, 1);
  return tensor;
}

struct Model {
  const char* name;
  std::int64_t width;
};

// The op of every block with its own weights; the first input and the outputs are shared.
struct Layer {
  Op op;
  std::vector<Shape> shapes;
};

Layer layer_of(const std::string& kind, std::int64_t batch, std::int64_t d, DType compute) {
  const Shape x{batch, 197, d};
  if (kind == "qkv") {
    LayerNormLinear op;
    op.has_bias = true;
    op.compute = compute;
    op.output = compute;
    return {op, {x, {d}, {d}, {3 * d, d}, {3 * d}}};
  }
  if (kind == "projection") {
    Linear op{true, true};
    op.compute = compute;
    return {op, {x, {d, d}, {d}, x}};
  }
  if (kind == "layer_norm") return {LayerNorm{}, {x, {d}, {d}}};
  if (kind == "patch_embed") {
    PatchEmbed op{true, 1, PatchEmbed::Positions::all, compute};
    return {op, {{batch, 3, 224, 224}, {d, 3, 16, 16}, {d}, {1, 1, d}, {1, 197, d}}};
  }
  if (kind == "head") {
    LayerNormLinear op;
    op.has_bias = true;
    op.compute = compute;
    return {op, {{batch, d}, {d}, {d}, {1000, d}, {1000}}};
  }
  Mlp op;
  op.compute = compute;
  if (kind == "mlp_of_one") return {op, {{batch, d}, {d}, {d}, {4 * d, d}, {4 * d}, {d, 4 * d}, {d}}};
  return {op, {x, {d}, {d}, {4 * d, d}, {4 * d}, {d, 4 * d}, {d}}};
}

void measure(benchmark::State& state, const Layer& layer) {
  std::vector<TensorType> types;
  std::vector<Layout> offered;
  for (const Shape& shape : layer.shapes) types.push_back({DType::f32, shape}), offered.push_back(Layout::plain(types.back()));
  const std::vector<TensorType> results = layer.op.infer(types);
  const Tensor x = random_tensor(layer.shapes[0], 1);
  Tensor y(results[0].dtype, results[0].shape);
  PackCache packs;
  std::vector<Step> steps;
  std::shared_ptr<std::byte> scratch;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    std::vector<Tensor> constants = {Tensor()};
    for (std::size_t i = 1; i < types.size(); ++i) constants.push_back(random_tensor(layer.shapes[i], block * 10 + i));
    const Offer offer = layer.op.implementations().front().offer(CallSite{layer.op, types, results, constants, offered, g_threads, this_machine(), &packs});
    if (offer.refusal) return state.SkipWithError(offer.refusal->c_str());
    if (!scratch) scratch = allocate_aligned(offer.scratch_bytes);
    const std::vector<const std::byte*> inputs(types.size(), x.data());
    std::byte* outputs[] = {y.data()};
    steps.push_back(offer.prepare().bind({inputs, outputs, scratch.get()}));
  }
  ThreadTeam team(g_threads);
  for (auto _ : state) {
    team.run([&](const Member& member) {
      for (const Step& step : steps) {
        step.run_part(member);
        member.barrier();
      }
    });
  }
  const double flop = static_cast<double>(layer.op.flop(types, results)) * static_cast<double>(kBlocks);
  state.counters["GFLOP/s"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["µs/block"] = benchmark::Counter(kBlocks * 1e-6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// How the hidden layer and the rows are best cut: the constants of tile_mlp.cpp come from here.
void measure_cut(benchmark::State& state, std::int64_t rows, std::int64_t width, DType compute) {
  Mlp op;
  op.compute = compute;
  const TileMlp mlp(op, {rows, width, 4 * width}, g_threads, this_machine(), state.range(0), state.range(1));
  PackCache packs;
  std::vector<TileMlp::Weights> weights;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    weights.push_back(mlp.pack(random_tensor({4 * width, width}, block), random_tensor({width, 4 * width}, block + 50), packs));
  }
  const Tensor x = random_tensor({rows, width}, 1), vector = random_tensor({4 * width}, 2);
  Tensor y(DType::f32, {rows, width});
  const auto scratch = allocate_aligned(mlp.scratch_bytes());
  const float* numbers = vector.as<float>().data();
  TileMlp::Memory memory{x.as<float>().data(), numbers, numbers, numbers, numbers, nullptr, y.as<float>().data(), scratch.get()};
  ThreadTeam team(g_threads);
  for (auto _ : state) {
    team.run([&](const Member& member) {
      for (const TileMlp::Weights& block : weights) {
        TileMlp::Memory mine = memory;
        mine.weights = &block;
        mlp.run(member, mine);
        member.barrier();
      }
    });
  }
  const double flop = 16.0 * static_cast<double>(rows * width * width) * static_cast<double>(kBlocks);
  state.counters["GFLOP/s"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--threads=", 10) != 0) continue;
    g_threads = std::atoi(argv[i] + 10);
    for (int j = i; j + 1 < argc; ++j) argv[j] = argv[j + 1];
    --argc;
    break;
  }
  for (const Model& model : {Model{"tiny", 192}, Model{"small", 384}}) {
    for (const DType compute : {DType::f32, DType::bf16}) {
      for (const std::int64_t batch : {1, 8}) {
        const std::string suffix = std::string("/") + model.name + "/" + std::string(name_of(compute)) + "/b" + std::to_string(batch);
        for (const char* kind : {"patch_embed", "layer_norm", "qkv", "projection", "mlp", "mlp_of_one", "head"}) {
          benchmark::RegisterBenchmark((kind + suffix).c_str(), measure, layer_of(kind, batch, model.width, compute))->UseRealTime()->Unit(benchmark::kMicrosecond);
        }
        benchmark::RegisterBenchmark(("cut" + suffix).c_str(), measure_cut, batch * 197, model.width, compute)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond)
            ->ArgsProduct({{128, 192, 256, 384, 512, 768}, {50, 66, 99, 132, 197}});
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
