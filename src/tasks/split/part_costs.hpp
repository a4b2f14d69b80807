#pragma once

#include <map>
#include <string>

#include "graph/graph.hpp"
#include "kernels/message/all_reduce.hpp"
#include "kernels/message/exchange.hpp"
#include "parallel/wire.hpp"
#include "tasks/split/stage_costs.hpp"

namespace edgelab::tasks {

// What one rank spends on a part of a graph, messages with the other ranks of its stage among it, and what all these send meanwhile.
struct Spent {
  double ns = 0.0, message_ns = 0.0, bytes = 0.0;
};

// Prices parts of a graph whose nodes have been measured: a node's share by operations of what it takes whole, a message by its bytes.
class PartCosts {
 public:
  // `costs` outlives this.
  PartCosts(const graph::Graph& whole, const MeasuredCosts& costs, parallel::Wire wire);

  // On a rank that takes `slowness` times as long as rank 0.
  Spent of(const graph::Graph& part, double slowness) const;

 private:
  struct Work {
    double ns = 0.0, flop = 0.0;
  };
  struct Message {
    double ns = 0.0, bytes = 0.0;  // by all ranks
  };

  double compute_ns(const graph::Graph& part, const graph::Node& node) const;
  double on_wire(const kernels::TensorType& type) const { return static_cast<double>(parallel::wire_bytes(wire_, type)); }
  Message reduced(const kernels::AllReduce& reduce) const;
  Message exchanged(const kernels::Exchange& exchange) const;
  double message_ns(double bytes) const;

  std::map<std::string, Work> works_;  // by layer
  const MeasuredCosts& costs_;
  parallel::Wire wire_;
};

}  // namespace edgelab::tasks
