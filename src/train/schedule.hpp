#pragma once

#include <cstdint>
#include <vector>

namespace edgelab::train {

struct ScheduleSettings {
  enum class Curve : std::uint8_t {
    constant,
    cosine,    // to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts)
    step,      // times `gamma` at each of `step_epochs`
    one_cycle  // up from a 25th, then down to 10^-4 of that, along cosines (Smith and Topin 2018, as PyTorch's OneCycleLR)
  };
  Curve curve = Curve::cosine;
  double learning_rate = 1e-3;      // the highest
  double warmup_epochs = 0.0;       // the rate rises evenly to where the curve begins; the curve has what is left
  std::vector<double> step_epochs{};  // from the start of training; empty: at a half and at three quarters (He et al. 2016)
  double gamma = 0.1;
  std::int64_t epochs = 1, steps_per_epoch = 1;
};

// Of the step that is `step` steps from the start of training. It is a float's value, so that machines whose cos() differs in
// its last digit go on together.
double learning_rate(const ScheduleSettings& settings, std::int64_t step);

}  // namespace edgelab::train
