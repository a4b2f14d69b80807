#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "kernels/cuda/devices.hpp"
#include "kernels/pack_cache.hpp"
#include "runtime/choices.hpp"

namespace edgelab::runtime {

struct PlanOptions {
  int threads = 1;
  // Implementations that may be used, by name; empty: all. The reference may always be used.
  std::vector<std::string> implementations;
  // Shared by the plans of one model, so that weights are packed once; a plan makes its own where there is none.
  std::shared_ptr<kernels::PackCache> packs;
  // Where there are several ways to compute a layer (implementations, or a fused node's unfused nodes), the fastest as
  // measured here, and kept here; null: the first implementation that accepts, and fused nodes stay fused.
  Choices* choices = nullptr;
  // Whether parameters and buffers keep their values for as long as the plan lives, so that kernels may pack them once. If
  // not, each run reads them where they were bound: a training step, which another changes between two runs.
  bool weights_change = false;
  // The calling thread's CUDA device: the plan is then for it, all values and weights in its memory, and every layer computed by
  // kernels/cuda; null: for the host. Which ways are faster is not measured there: the first that accepts is taken.
  const kernels::cuda::DeviceInfo* device = nullptr;
  bool tf32 = false;  // on a device: products in fp32 may round their operands to tf32
};

// What one step is, for the layer table of the results.
struct StepInfo {
  std::string name;      // the layer
  std::string op;        // "conv2d{stride 2, padding 1, bias, relu6}"
  DType requested = DType::f32, effective = DType::f32;
  std::string implementation;  // "onednn brgconv:avx512_core"
  // "onednn: reason" for each implementation before this one that said no, and "onednn 312 µs" for each that was measured
  // to be slower.
  std::string refused;
  std::int64_t flop = 0;
  std::int64_t bytes = 0;      // read and written, weights included
  double sparsity = 0.0;       // share of this layer's weights that are zero
  bool tf32 = false;           // "fp32" above stands for tf32
};

// Everything decided before the first image: the kernel of each node with its constants packed, the reorders between
// kernels that want different layouts, and the place of every value in one arena. Immutable, so that several
// executables may share it.
class Plan {
 public:
  // Where a value lies: in the arena, or in a constant that the plan keeps alive.
  struct Place {
    std::size_t offset = 0;
    Tensor constant;
  };
  struct Step {
    StepInfo info;
    kernels::PreparedKernel kernel;
    std::vector<Place> inputs, outputs;
    std::size_t scratch = 0;  // offset
  };
  struct Port {
    std::string name;
    kernels::TensorType type;
    std::size_t offset = 0;
    std::size_t last_step = 0;  // of an output: the step after which it is there
  };

  // Throws Error: a weight without data, or an op for which every implementation refused.
  static std::shared_ptr<const Plan> compile(const graph::Graph& graph, const PlanOptions& options);

  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  std::size_t arena_bytes() const { return arena_bytes_; }
  std::size_t arena_lower_bound() const { return arena_lower_bound_; }
  int threads() const { return threads_; }
  bool on_device() const { return on_device_; }

 private:
  friend class PlanBuilder;
  std::vector<Step> steps_;
  std::vector<Port> inputs_, outputs_;
  std::size_t arena_bytes_ = 0, arena_lower_bound_ = 0;
  int threads_ = 1;
  bool on_device_ = false;
  std::shared_ptr<kernels::PackCache> packs_;
};

}  // namespace edgelab::runtime
