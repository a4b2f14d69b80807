#pragma once

#include <optional>
#include <span>
#include <string>

#include "results/job_record.hpp"

namespace edgelab::batch {

// Layers of two tables of one model that do the same work. Fusion gives a block one row in one table and several in the other, so
// a name stands for all that begin with it and a dot; what neither table has a partner for is together one part, "the rest".
struct LayerSpeedup {
  std::string layers;  // the name that stands for them
  double times = 0.0;  // the reference's time over the job's
};

// The part that gained least. Nothing if either table is empty or has taken no time.
std::optional<LayerSpeedup> least_layer_speedup(std::span<const results::LayerRow> job, std::span<const results::LayerRow> reference);

}  // namespace edgelab::batch
