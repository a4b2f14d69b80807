#include "train/pipeline_order.hpp"

#include <algorithm>

namespace edgelab::train {

std::vector<PipelineWork> one_forward_one_backward(int stage, int stages, std::int64_t parts) {
  const std::int64_t ahead = std::min<std::int64_t>(parts, stages - stage - 1);
  std::vector<PipelineWork> order;
  for (std::int64_t part = 0; part < ahead; ++part) order.push_back({false, part});
  for (std::int64_t part = ahead; part < parts; ++part) {
    order.push_back({false, part});
    order.push_back({true, part - ahead});
  }
  for (std::int64_t part = parts - ahead; part < parts; ++part) order.push_back({true, part});
  return order;
}

std::size_t most_between_passes(int stage, int stages, std::int64_t parts) {
  return static_cast<std::size_t>(std::min<std::int64_t>(parts, stages - stage));
}

}  // namespace edgelab::train
