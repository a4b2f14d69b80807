#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "runtime/choices.hpp"
#include "runtime/plan.hpp"

namespace edgelab::runtime {

// One way to compute a node that its implementation agreed to.
struct Way {
  std::string_view label;  // "onednn"
  kernels::Offer offer;
  const kernels::Implementation* implementation = nullptr;  // null on a device

  std::string_view name() const { return label; }
};

// All ways, in the implementations' order, and what the others said.
struct Ways {
  std::vector<Way> accepted;
  std::string refused;
};

// Without choices to be measured, the first that accepts is all there is to know. The reference is only asked where nothing
// else accepts: it is never the fastest.
Ways ways_of(const kernels::CallSite& site, const PlanOptions& options);

// The one to take, by name, or Choices::kUnfused: what was measured before, or is measured now, where the options ask for
// that. Throws Error (data) if nothing can compute the node.
Choices::Choice choose(const graph::Node& node, const kernels::CallSite& site, const Ways& ways, const PlanOptions& options);

// Adds an entry to a list for people: "a; b".
void join(std::string& list, const std::string& entry);

}  // namespace edgelab::runtime
