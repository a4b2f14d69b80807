#include "tasks/scenario/rate_search.hpp"

namespace edgelab::tasks {

std::optional<double> highest_rate(double ceiling, double tolerance, const std::function<bool(double)>& goes_well) {
  std::optional<double> best;
  double low = 0, high = ceiling;
  while (high - low > tolerance * high && high > ceiling / 64) {
    const double middle = low + (high - low) / 2;
    if (goes_well(middle)) {
      low = middle;
      best = middle;
    } else {
      high = middle;
    }
  }
  return best;
}

}  // namespace edgelab::tasks
