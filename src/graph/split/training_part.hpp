#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/split/part.hpp"

namespace edgelab::graph {

// What of a weight a rank has: along `axis` the ranges, one after the other; without ranges all of it.
struct Piece {
  int axis = 0;
  std::vector<Range> ranges;
  bool whole() const { return ranges.empty(); }
};

struct TrainingPart {
  Graph graph;
  std::string share;  // for people: "heads 0 to 1 of 3, hidden units 0 to 47 of 96"
  std::map<std::string, Piece> pieces;  // of each weight of the model, by name
};

// One rank's part of a vision transformer that is trained tensor parallel: of the model as it is written, before any fusion. As
// tensor_part(), each member has some heads and some hidden units; all else is computed by every member, which comes to the same numbers,
// and the same gradients, since what a shared layer makes of its input is added up on the way back (gradient_sum). Every member has the
// inputs. Weights that are shared out are copied into memory of their own, the others are the model's.
// Throws Error (usage) if there is nothing to share, or a member would have no head: everybody must take part in every sum.
TrainingPart tensor_training_part(const Graph& model, const Member& member);

}  // namespace edgelab::graph
