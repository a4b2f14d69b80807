#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// How job files spell each enumeration, in the enumerators' order. An empty name is the state without the key.
template <class Enum>
struct EnumNames;

#define EDGELAB_ENUM_NAMES(Enum, ...)                                             \
  template <>                                                                     \
  struct EnumNames<tasks::Enum> {                                                 \
    static constexpr auto value = std::to_array<std::string_view>({__VA_ARGS__}); \
  }

EDGELAB_ENUM_NAMES(SearchObjective, "top1", "loss", "size");
EDGELAB_ENUM_NAMES(Task, "infer", "evaluate", "train", "prune", "quantize", "bench");
EDGELAB_ENUM_NAMES(Precision, "fp32", "tf32", "bf16", "int8", "mixed");
EDGELAB_ENUM_NAMES(Device, "cpu", "cuda");
EDGELAB_ENUM_NAMES(Attention, "auto", "naive", "flash");
EDGELAB_ENUM_NAMES(GraphMode, "eager", "fused");
EDGELAB_ENUM_NAMES(Split, "train", "test");
EDGELAB_ENUM_NAMES(Interpolation, "bilinear", "bicubic");
EDGELAB_ENUM_NAMES(Strategy, "", "pipeline", "tensor", "sequence", "data", "auto");
EDGELAB_ENUM_NAMES(Wire, "fp32", "bf16", "fp16", "int8");
EDGELAB_ENUM_NAMES(Scenario, "single_stream", "multi_stream", "server", "offline");
EDGELAB_ENUM_NAMES(Optimizer, "sgd", "adamw");
EDGELAB_ENUM_NAMES(LearningRateSchedule, "constant", "cosine", "step", "one_cycle");
EDGELAB_ENUM_NAMES(BatchNormMode, "train", "frozen");
EDGELAB_ENUM_NAMES(Trainable, "all", "head", "last", "lora");
EDGELAB_ENUM_NAMES(PruneMethod, "magnitude", "taylor", "bn_scale");
EDGELAB_ENUM_NAMES(Granularity, "unstructured", "block1x4", "block1x16", "n_m", "channel");
EDGELAB_ENUM_NAMES(PruneSchedule, "oneshot", "gradual", "iterative");
EDGELAB_ENUM_NAMES(CalibrationMethod, "minmax", "percentile", "mse", "kl");
EDGELAB_ENUM_NAMES(Scheme, "symmetric", "affine");
EDGELAB_ENUM_NAMES(WeightBits, "int8", "int4");
EDGELAB_ENUM_NAMES(Placement, "pack", "spread");
EDGELAB_ENUM_NAMES(Expectation::Kind, "outputs_match", "speedup_over", "latency_speedup_over", "layer_speedup_over", "top1_at_least",
                   "top1_drop_at_most", "latency_p50_at_most", "model_bytes_at_most");
#undef EDGELAB_ENUM_NAMES

template <class Enum>
std::string_view enum_name(Enum value) {
  return EnumNames<Enum>::value[static_cast<std::size_t>(value)];
}

template <class Enum>
Enum enum_named(std::string_view name) {
  std::size_t index = 0;
  while (index + 1 < EnumNames<Enum>::value.size() && EnumNames<Enum>::value[index] != name) ++index;
  return static_cast<Enum>(index);
}

template <class Enum>
std::vector<std::string> enum_choices() {
  std::vector<std::string> names;
  for (const std::string_view name : EnumNames<Enum>::value) {
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

}  // namespace edgelab::batch
