// Time and GFLOP/s (of the products alone) of each implementation of attention and of its gradient, as a team runs them:
//   ./bench_attention --threads=2 --benchmark_filter=fp32/197
//   ./bench_attention --threads=2 --on_request=fp32/197/heads6x64/flash     measures when asked: on_request.hpp
#include <benchmark/benchmark.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "core/random.hpp"
#include "core/thread_team.hpp"
#include "kernels/attention_backward/attention_backward.hpp"
#include "kernels/pack_cache.hpp"
#include "on_request.hpp"

namespace {

using namespace edgelab;
using namespace edgelab::kernels;

struct Case {
  DType compute;
  std::int64_t tokens, heads, head_width;
  std::string_view implementation;
  bool backward = false;
  std::string name() const {
    return std::string(name_of(compute)) + "/" + std::to_string(tokens) + "/heads" + std::to_string(heads) + "x" + std::to_string(head_width) + "/" +
           std::string(implementation) + (backward ? "/backward" : "");
  }
  // Two products, or five.
  double flop() const { return (backward ? 10.0 : 4.0) * static_cast<double>(tokens * tokens * heads * head_width); }
};

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const DType compute : {DType::f32, DType::bf16}) {
    for (const std::int64_t tokens : {197, 1024, 4096}) {
      list.push_back({compute, tokens, 6, 64, "flash"});
      if (compute == DType::f32) list.push_back({compute, tokens, 6, 64, "onednn"});
      list.push_back({compute, tokens, 6, 64, "flash", true});
    }
    list.push_back({compute, 197, 3, 64, "flash"});
    list.push_back({compute, 577, 12, 64, "flash"});
  }
  return list;
}

Tensor random_values(const TensorType& type, std::uint64_t key) {
  Tensor tensor(type.dtype, type.shape);
  CounterRandom random(key);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    const float value = random.normal();
    if (type.dtype == DType::f32) reinterpret_cast<float*>(tensor.data())[i] = value;
    if (type.dtype == DType::bf16) reinterpret_cast<std::uint16_t*>(tensor.data())[i] = float_to_bf16(value);
  }
  return tensor;
}

// One op with memory of its own.
class Runner {
 public:
  Runner(const Op& op, std::string_view implementation_name, std::vector<Tensor> inputs, int threads) : inputs_(std::move(inputs)), team_(threads) {
    std::vector<TensorType> types;
    std::vector<Layout> offered;
    std::vector<const std::byte*> in;
    for (const Tensor& input : inputs_) {
      types.push_back({input.dtype(), input.shape()});
      offered.push_back(Layout::plain(types.back()));
      in.push_back(input.data());
    }
    const std::vector<TensorType> output_types = op.infer(types);
    std::vector<std::byte*> out;
    for (const TensorType& type : output_types) {
      outputs.emplace_back(type.dtype, type.shape);
      out.push_back(outputs.back().data());
    }
    const std::vector<Tensor> none(inputs_.size());
    for (const Implementation& implementation : op.implementations()) {
      if (implementation.name != implementation_name) continue;
      const Offer offer = implementation.offer({op, types, output_types, none, offered, threads, this_machine(), &packs_});
      if (offer.refusal) {
        refusal = *offer.refusal;
        return;
      }
      scratch_ = allocate_aligned(offer.scratch_bytes);
      step_ = offer.prepare().bind({in, out, scratch_.get()});
    }
  }
  void run() { step_.run(team_); }
  std::vector<Tensor> outputs;
  std::string refusal;

 private:
  std::vector<Tensor> inputs_;
  ThreadTeam team_;
  PackCache packs_;
  std::shared_ptr<std::byte> scratch_;
  Step step_;
};

// Input and output are of the type that is computed in, as peers have them.
Runner runner_of(const Case& which, int threads) {
  const std::int64_t width = which.heads * which.head_width;
  const int heads = static_cast<int>(which.heads);
  const Tensor qkv = random_values({which.compute, {1, which.tokens, 3 * width}}, 1);
  if (!which.backward) return {Attention{.heads = heads, .compute = which.compute}, which.implementation, {qkv}, threads};
  Runner forward(Attention{.heads = heads, .compute = which.compute, .with_log_sum_exp = true}, "flash", {qkv}, threads);
  forward.run();
  const Tensor gradient = random_values({DType::f32, {1, which.tokens, width}}, 2);
  return {AttentionBackward{.heads = heads, .compute = which.compute}, which.implementation, {qkv, forward.outputs[0], forward.outputs[1], gradient}, threads};
}

void measure(benchmark::State& state, const Case& which, int threads) {
  Runner runner = runner_of(which, threads);
  if (!runner.refusal.empty()) return state.SkipWithError(runner.refusal.c_str());
  for (auto _ : state) runner.run();
  state.counters["GFLOP/s"] = benchmark::Counter(which.flop() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

int serve(const std::string& name, int threads) {
  const auto list = cases();
  const auto which = std::find_if(list.begin(), list.end(), [&](const Case& c) { return c.name() == name; });
  if (which == list.end()) {
    std::cout << "missing there is no case " << name << std::endl;
    return 2;
  }
  Runner runner = runner_of(*which, threads);
  if (!runner.refusal.empty()) {
    std::cout << "missing " << runner.refusal << std::endl;
    return 1;
  }
  bench::measure_on_request(which->flop(), [&runner] { runner.run(); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1;
  std::string on_request;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--threads=")) threads = std::stoi(argument.substr(10));
    if (argument.starts_with("--on_request=")) on_request = argument.substr(13);
  }
  if (!on_request.empty()) return serve(on_request, threads);
  for (const Case& which : cases()) benchmark::RegisterBenchmark(which.name().c_str(), measure, which, threads)->UseRealTime();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
