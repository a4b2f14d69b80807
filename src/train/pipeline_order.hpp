#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgelab::train {

// One half of a micro-batch's way through a stage.
struct PipelineWork {
  bool backward = false;
  std::int64_t part = 0;  // the micro-batch
  bool operator==(const PipelineWork&) const = default;
};

// What stage `stage` (from 0) of `stages` does with the `parts` micro-batches of a step, in order: a few forward passes, as many as there
// are stages behind it, then one forward and one backward in turn, then what is left of the backward ones (1F1B: Narayanan et al.,
// PipeDream, SOSP 2019, with a flush a step as in Megatron-LM, 2021). All gradients are of the weights before the step. Of one stage it is
// each part's forward and backward pass, part by part.
std::vector<PipelineWork> one_forward_one_backward(int stage, int stages, std::int64_t parts);

// How many micro-batches are between their passes there at most: what a stage has to keep. It does not grow with `parts`.
std::size_t most_between_passes(int stage, int stages, std::int64_t parts);

}  // namespace edgelab::train
