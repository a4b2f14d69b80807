// Sparse kernels beside the dense ones of the same layer, by turns, for growing shares of zeros: where they break even.
//   EDGELAB_BENCH_THREADS=2 ./bench_sparse [least milliseconds a layer and kernel, 30]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "core/random.hpp"
#include "core/thread_team.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/pack_cache.hpp"

namespace {

using namespace edgelab;
using namespace edgelab::kernels;

Tensor random(Shape shape, std::uint64_t key, float size) {
  Tensor tensor(DType::f32, shape);
  CounterRandom numbers(key);
  for (float& element : tensor.as<float>()) element = numbers.uniform(-size, size);
  return tensor;
}

// Groups of `block` outputs for one input each are zero.
Tensor sparse(Shape shape, std::uint64_t key, float zeros, std::int64_t block) {
  Tensor weight = random(shape, key, 0.3f);
  CounterRandom numbers(key + 1);
  const std::int64_t columns = weight.elements() / shape[0];
  for (std::int64_t first = 0; first < shape[0]; first += block) {
    for (std::int64_t k = 0; k < columns; ++k) {
      if (numbers.uniform(0.0f, 1.0f) >= zeros) continue;
      for (std::int64_t n = first; n < std::min(shape[0], first + block); ++n) weight.as<float>()[static_cast<std::size_t>(n * columns + k)] = 0.0f;
    }
  }
  return weight;
}

// One kernel of one layer, ready to run.
struct Trial {
  std::string name, refusal;
  Step step;
  std::vector<Tensor> memory;
  double least_ns = 1e18;
};

Trial trial_of(const Op& op, const std::vector<Tensor>& inputs, std::size_t implementation, int threads, PackCache& packs) {
  std::vector<TensorType> types;
  std::vector<Tensor> constants;
  std::vector<Layout> offered;
  for (const Tensor& input : inputs) {
    types.push_back({input.dtype(), input.shape()});
    constants.push_back(types.size() == 1 ? Tensor() : input);
    offered.push_back(Layout::plain(types.back()));
  }
  const std::vector<TensorType> outputs = op.infer(types);
  const Offer offer = op.implementations()[implementation].offer({op, types, outputs, constants, offered, threads, this_machine(), &packs});
  Trial trial{std::string(op.implementations()[implementation].name), offer.refusal.value_or(""), {}, {}, 1e18};
  if (offer.refusal) return trial;
  Tensor y(DType::f32, outputs[0].shape), scratch(DType::u8, {static_cast<std::int64_t>(offer.scratch_bytes)});
  const std::byte* in[8] = {inputs[0].data()};
  std::byte* const out[] = {y.data()};
  trial.step = offer.prepare().bind({{in, inputs.size()}, out, scratch.data()});
  trial.memory = {y, scratch};
  return trial;
}

void run_by_turns(std::vector<Trial>& trials, ThreadTeam& team, double least_ms) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(least_ms * static_cast<double>(trials.size()));
  constexpr int kRuns = 8;  // in one region, as in an inference
  do {
    for (Trial& trial : trials) {
      if (!trial.refusal.empty()) continue;
      const auto before = Clock::now();
      team.run([&](const Member& member) {
        for (int run = 0; run < kRuns; ++run) {
          trial.step.run_part(member);
          member.barrier();
        }
      });
      trial.least_ns = std::min(trial.least_ns, std::chrono::duration<double, std::nano>(Clock::now() - before).count() / kRuns);
    }
  } while (Clock::now() < end);
}

struct Layer {
  std::string name;
  Op op;
  Shape x;
  std::vector<Shape> weights;        // each with its bias behind it
  std::vector<bool> is_sparse = {};
  int times = 1;                     // in a model
};

Layer inverted(std::int64_t size, std::int64_t c, std::int64_t e, std::int64_t o, int stride, int times) {
  return {fmt::format("inverted_residual {}²  {} → {} → {}, stride {}", size, c, e, o, stride), InvertedResidual{stride, true, stride == 1 && c == o}, {1, c, size, size},
          {{e, c, 1, 1}, {e, 1, 3, 3}, {o, e, 1, 1}}, {true, false, true}, times};
}
Layer linear(std::int64_t rows, std::int64_t k, std::int64_t n) {
  return {fmt::format("linear {} rows, {} → {}", rows, k, n), Linear{.has_bias = true}, {rows, k}, {{n, k}}, {true}, 12};
}

void measure(const Layer& layer, float zeros, std::int64_t block, double least_ms, std::vector<double>& sums) {
  static const int threads = std::getenv("EDGELAB_BENCH_THREADS") != nullptr ? std::atoi(std::getenv("EDGELAB_BENCH_THREADS")) : 2;
  static ThreadTeam team(threads);
  std::vector<Tensor> inputs = {random(layer.x, 1, 1.0f)};
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    const Shape& shape = layer.weights[i];
    inputs.push_back(layer.is_sparse[i] ? sparse(shape, 10 + i, zeros, block) : random(shape, 10 + i, 0.3f));
    inputs.push_back(random({shape[0]}, 20 + i, 1.0f));
  }
  PackCache packs;
  std::vector<Trial> trials;
  for (const std::size_t implementation : {0, 1}) trials.push_back(trial_of(layer.op, inputs, implementation, threads, packs));
  run_by_turns(trials, team, least_ms);
  const double sparse_us = trials[0].least_ns / 1e3, dense_us = trials[1].least_ns / 1e3;
  if (!trials[0].refusal.empty()) return fmt::print("{:50} {:4.0f} % zeros by {:2}: {}\n", layer.name, 100 * zeros, block, trials[0].refusal), void();
  fmt::print("{:50} {:4.0f} % zeros by {:2}: sparse {:7.1f} µs, dense {:7.1f} µs, {:4.2f} times as fast\n", layer.name, 100 * zeros, block, sparse_us, dense_us, dense_us / sparse_us);
  sums[0] += layer.times * sparse_us, sums[1] += layer.times * dense_us;
}

}  // namespace

int main(int argc, char** argv) {
  const double least_ms = argc > 1 ? std::atof(argv[1]) : 30.0;
  const std::vector<Layer> mobilenet = {inverted(112, 16, 96, 24, 2, 1),  inverted(56, 24, 144, 24, 1, 1),  inverted(56, 24, 144, 32, 2, 1), inverted(28, 32, 192, 32, 1, 2),
                                        inverted(28, 32, 192, 64, 2, 1),  inverted(14, 64, 384, 64, 1, 3),  inverted(14, 64, 384, 96, 1, 1), inverted(14, 96, 576, 96, 1, 2),
                                        inverted(14, 96, 576, 160, 2, 1), inverted(7, 160, 960, 160, 1, 2), inverted(7, 160, 960, 320, 1, 1),
                                        {"conv2d 7²  320 → 1280", Conv2d{.has_bias = true, .activation = ActivationKind::relu6}, {1, 320, 7, 7}, {{1280, 320, 1, 1}}, {true}, 1}};
  const std::vector<Layer> deit = {linear(197, 192, 576), linear(197, 192, 192), linear(197, 192, 768), linear(197, 768, 192)};
  for (const std::int64_t block : {1, 4}) {
    for (const float zeros : {0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 0.95f}) {
      for (const auto* layers : {&mobilenet, &deit}) {
        std::vector<double> sums(2, 0.0);
        for (const Layer& layer : *layers) measure(layer, zeros, block, least_ms, sums);
        if (sums[0] > 0) fmt::print("all these, as often as a model has them: sparse {:.0f} µs, dense {:.0f} µs, {:.2f} times as fast\n\n", sums[0], sums[1], sums[1] / sums[0]);
      }
    }
  }
}
