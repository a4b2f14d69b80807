#include "models/random_weights.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "core/random.hpp"

namespace edgelab::models {

namespace {

struct Distribution {
  float centre = 0.0f;
  double spread = 0.0;  // holds a float's value
  bool uniform = false;
};

Distribution distribution_of(std::string_view name, const Shape& shape) {
  const std::string_view last = name.substr(name.rfind('.') == std::string_view::npos ? 0 : name.rfind('.') + 1);
  if (last == "running_var") return {1.0f, 0.5, true};
  if (last == "running_mean" || last == "bias") return {0.0f, 0.1f, false};
  if (last == "pos_embed" || last == "cls_token" || last == "dist_token") return {0.0f, 0.2f, false};
  if (shape.rank() < 2) return {1.0f, 0.1f, false};
  const double gain = shape.rank() == 4 ? 2.0 : 1.0;
  const auto inputs = static_cast<double>(shape.elements() / shape[0]);
  return {0.0f, static_cast<float>(std::sqrt(gain / inputs)), false};
}

// How many numbers of the stream one value takes; a thread starts at its first value's.
constexpr std::uint64_t draws_per_value(bool uniform) { return uniform ? 1 : 2; }

}  // namespace

Tensor random_weight(std::string_view name, const Shape& shape, std::uint64_t seed, int threads) {
  Tensor tensor(DType::f32, shape);
  if (tensor.elements() == 0) return tensor;
  const Distribution distribution = distribution_of(name, shape);
  const std::uint64_t key = stream_key(seed, name);
  const std::span<float> values = tensor.as<float>();
  parallel_for(tensor.elements(), threads, [&](std::int64_t begin, std::int64_t end) {
    CounterRandom random(key, static_cast<std::uint64_t>(begin) * draws_per_value(distribution.uniform));
    for (std::int64_t i = begin; i < end; ++i) {
      // In double the product is exact, so a compiler that fuses it with the sum (GCC does on Arm) changes nothing.
      const double draw = distribution.uniform ? random.uniform() : random.normal();
      values[static_cast<std::size_t>(i)] = static_cast<float>(distribution.centre + distribution.spread * draw);
    }
  });
  return tensor;
}

void bind_random(graph::Graph& graph, std::uint64_t seed, int threads) {
  for (const graph::ValueId id : graph.weights()) {
    const graph::Value& value = graph.value(id);
    if (value.type.dtype != DType::f32) {
      throw Error(ErrorKind::data, "random weights can't be made for " + value.name).got(std::string(name_of(value.type.dtype))).expected("fp32");
    }
    graph.bind(id, random_weight(value.name, value.type.shape, seed, threads));
  }
}

}  // namespace edgelab::models
