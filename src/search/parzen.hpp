#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What to try next: tree-structured Parzen estimators (J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011),
// as Optuna has them. Pure: the same trials, seed and number give the same point, on every rank and after every restart.
namespace edgelab::search {

// One setting: a choice, or a number.
struct Dimension {
  std::string name;
  std::vector<std::string> choices;  // a point holds the index of one; empty: a number
  double low = 0.0, high = 1.0;      // of a number
  bool logarithmic = false;
};

// A point that was tried, one number a dimension, and how good it was: more is better. NaN: it failed, which is worse than all.
struct Trial {
  std::vector<double> point;
  double worth = 0.0;
};

struct ParzenSettings {
  int at_random = 8;     // trials before the estimate begins
  double good = 0.25;    // share of trials that count as good
  int candidates = 32;   // drawn from the good ones' density; the one that stands out most from the others' is taken
};

// The point of trial `number` (from 0), given those that are done, in their order. `done` may hold fewer than `number`: others are
// under way. Throws nothing; `space` is not empty and its choices and ranges are not.
std::vector<double> next_point(const std::vector<Dimension>& space, const std::vector<Trial>& done, std::uint64_t seed, std::int64_t number, const ParzenSettings& settings = {});

// "weights int4, scheme affine, lr 0.0012"
std::string text_of(const std::vector<Dimension>& space, const std::vector<double>& point);

}  // namespace edgelab::search
