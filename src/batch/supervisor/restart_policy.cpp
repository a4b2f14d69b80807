#include "batch/supervisor/restart_policy.hpp"

namespace edgelab::batch {

std::optional<std::chrono::seconds> RestartPolicy::after_end(bool began, bool progress) {
  stillborn_ = began ? 0 : stillborn_ + 1;
  fruitless_ = progress ? 0 : fruitless_ + 1;
  if (stillborn_ >= kMostStillborn || fruitless_ >= kMostFruitless) return std::nullopt;
  return std::chrono::seconds(progress ? 0 : 1 << (fruitless_ - 1));
}

}  // namespace edgelab::batch
