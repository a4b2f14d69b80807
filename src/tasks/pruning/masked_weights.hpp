#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compress/prune/masks.hpp"
#include "models/safetensors/safetensors.hpp"
#include "tasks/job_spec.hpp"
#include "train/trainer.hpp"

namespace edgelab::tasks {

// The zeros of a model in fine-tuning: what is zero stays so, whatever the optimizer does; by `schedule: gradual` more become zero on
// the way. All ranks hold the same weights and come to the same masks. The state is in the weights: after a resume the zeros say
// which they are.
class MaskedWeights {
 public:
  // steps: of the whole fine-tuning. The trainer must live on.
  MaskedWeights(const JobSpec& spec, train::Trainer& trainer, const std::vector<std::string>& parameters, std::int64_t steps);

  // Of a model that was pruned before, in any other training: what is zero stays so, in weights a tenth of which is.
  MaskedWeights(train::Trainer& trainer, const std::vector<std::string>& parameters);

  // After `steps` steps: more zeros if it is time, and all zeros put back.
  void after_step(std::int64_t steps);
  // The same zeros in tensors of these names that follow the weights.
  void apply_to(const std::vector<models::NamedTensor>& tensors) const;

 private:
  void judge();
  bool grows_at(std::int64_t steps) const;
  void grow(std::int64_t steps);

  struct Entry {
    compress::PrunableWeight weight;
    compress::Mask mask;
    std::size_t gradient = 0;  // among the trainer's
    std::vector<float> worth;  // `taylor`: |g · w| summed since the zeros grew last
  };

  PruneSpec spec_;
  train::Trainer& trainer_;
  std::int64_t ramp_ = 0;  // steps on which zeros grow
  std::vector<Entry> entries_;
};

}  // namespace edgelab::tasks
