#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "models/safetensors/safetensors.hpp"
#include "train/blocks.hpp"
#include "train/parameter.hpp"

namespace edgelab::train {

struct OptimizerSettings {
  enum class Method : std::uint8_t {
    sgd,   // PyTorch's: decay is added to the gradient; buffer = momentum · buffer + gradient; values −= rate · buffer
    adamw  // Loshchilov and Hutter 2019: values shrink by rate · decay, apart from the gradient
  };
  Method method = Method::adamw;
  double weight_decay = 0.0;  // of parameters that decays() says
  double momentum = 0.9;      // SGD; 0: no buffer is kept
  bool nesterov = false;      // SGD
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // AdamW
  double clip_norm = 0.0;  // gradients whose norm over all parameters is larger are scaled down to it; 0: none are
};

// Changes parameters by their gradients. A step goes over the gradients once for their norm, then once over everything: clip,
// decay, state and values together. The first is never left out: a gradient that is not finite must not reach the
// parameters, and costs more to find out later.
//
// The result is the same bits for any number of threads, and, since it is made of sums, products, quotients and roots in a
// fixed order, on any machine: ranks that start alike and get the same gradients stay alike.
class Optimizer {
 public:
  // The team is used during step(). Both it and the parameters' memory must live on.
  Optimizer(const OptimizerSettings& settings, std::vector<Parameter> parameters, ThreadTeam& team);

  // The norm is of the gradients of several ranks' parameters, each of which has an optimizer for its own: `counts` says which of these
  // are added up here (empty: all), `sum` adds up over the ranks, the same bits on each. step() is then collective.
  void take_norm_over(std::vector<bool> counts, std::function<double(double)> sum);

  struct Report {
    double gradient_norm = 0.0;  // over all parameters, scaled but before clipping
    bool applied = false;        // false: it was not finite, and nothing has changed
  };
  // gradients: one a parameter, in their order, each multiplied by `gradient_scale` first (such as one over the number of
  // micro-batches that were summed). Throws Error (usage) if they don't fit the parameters.
  Report step(std::span<const std::span<const float>> gradients, double learning_rate, double gradient_scale = 1.0);

  std::int64_t steps() const { return steps_; }  // applied so far
  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::size_t state_bytes() const;

  // For checkpoints: views of the state, by PyTorch's names: "step", and for each parameter NAME "momentum_buffer.NAME" or
  // "exp_avg.NAME" and "exp_avg_sq.NAME".
  std::vector<models::NamedTensor> state() const;
  // Copies such a state into this one. Throws Error (data) if tensors are missing or don't fit; the state is then undefined.
  void restore(std::span<const models::NamedTensor> state);

 private:
  double sum_of_all_squares(std::span<const std::span<const float>> gradients);
  void update(const Block& block, const float* gradient, double scale, double learning_rate);

  OptimizerSettings settings_;
  std::vector<Parameter> parameters_;
  std::vector<bool> decays_;
  ThreadTeam* team_;
  std::vector<Block> blocks_;
  std::vector<double> squares_;  // one a block
  std::vector<bool> counts_;     // one a parameter
  std::function<double(double)> sum_over_ranks_;  // or none
  std::vector<std::string> slot_names_;
  std::vector<std::vector<Tensor>> slots_;  // [slot][parameter]
  std::int64_t steps_ = 0;
};

}  // namespace edgelab::train
