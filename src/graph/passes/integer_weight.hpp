#pragma once

#include "graph/passes/rewrite.hpp"
#include "graph/quantization.hpp"

namespace edgelab::graph {

// A weight of an integer layer in the new graph.
struct IntegerWeight {
  ValueId numbers;  // s8, under the weight's name
  ValueId scale;    // f32, one an output channel
};

// Adds the numbers of a bound weight [O, …] of the old graph on its grid, rounded to nearest even, and their scales. Once a weight.
IntegerWeight add_integer_weight(Rewrite& rewrite, ValueId weight, const LayerQuantization& layer);

}  // namespace edgelab::graph
