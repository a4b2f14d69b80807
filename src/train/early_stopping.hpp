#pragma once

#include <cstdint>
#include <optional>

namespace edgelab::train {

// Ends training that has stopped getting better: when the last `patience` epochs have not brought a higher metric than the
// best before them. What was added before an interruption is added again (from the checkpoint's history) to go on.
class EarlyStopping {
 public:
  explicit EarlyStopping(std::int64_t patience) : patience_(patience) {}

  // The next epoch's metric, the higher the better. Returns whether it is the best so far; one that is not a number never is.
  bool add(double metric) {
    const bool better = metric == metric && (!best_ || metric > *best_);
    if (better) best_ = metric;
    epochs_without_ = better ? 0 : epochs_without_ + 1;
    return better;
  }

  bool should_stop() const { return epochs_without_ >= patience_; }
  std::optional<double> best() const { return best_; }

 private:
  std::int64_t patience_, epochs_without_ = 0;
  std::optional<double> best_;
};

}  // namespace edgelab::train
