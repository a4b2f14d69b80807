#include "tasks/split/part_costs.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace edgelab::tasks {

PartCosts::PartCosts(const graph::Graph& whole, const MeasuredCosts& costs, parallel::Wire wire) : costs_(costs), wire_(wire) {
  for (std::size_t n = 0; n < whole.nodes().size(); ++n) {
    Work& work = works_[whole.nodes()[n].name];
    work.ns += costs.nodes[n];
    work.flop += static_cast<double>(whole.flop(whole.nodes()[n]));
  }
}

Spent PartCosts::of(const graph::Graph& part, double slowness) const {
  Spent spent;
  const auto send = [&](const Message& message) {
    spent.ns += message.ns;
    spent.message_ns += message.ns;
    spent.bytes += message.bytes;
  };
  for (const graph::Node& node : part.nodes()) {
    if (const auto* reduce = node.op.as<kernels::AllReduce>()) {
      send(reduced(*reduce));
    } else if (const auto* exchange = node.op.as<kernels::Exchange>()) {
      send(exchanged(*exchange));
    } else {
      spent.ns += slowness * compute_ns(part, node);
    }
  }
  return spent;
}

// A part's nodes have the names of those that they are parts of, or one that begins with it.
double PartCosts::compute_ns(const graph::Graph& part, const graph::Node& node) const {
  auto found = works_.find(node.name);
  if (found == works_.end()) found = works_.find(node.name.substr(0, node.name.rfind('.')));
  if (found == works_.end()) return 0.0;
  const Work& whole = found->second;
  return whole.flop > 0.0 ? whole.ns * static_cast<double>(part.flop(node)) / whole.flop : whole.ns;
}

// What was measured includes the processor's work at full speed: links are measured when nothing has used up a quota.
double PartCosts::message_ns(double bytes) const {
  const parallel::Link& link = costs_.link;
  return link.latency_ns + bytes * (link.ns_per_byte + link.cpu_ns_per_byte * (1.0 / costs_.share - 1.0));
}

// Reduce-scatter, then all-gather: as parallel/mpi_transport.hpp does it.
PartCosts::Message PartCosts::reduced(const kernels::AllReduce& reduce) const {
  const double bytes = 2.0 * on_wire(reduce.type) * (reduce.ranks - 1) / reduce.ranks;
  return {reduce.ranks == 1 ? 0.0 : costs_.link.latency_ns + message_ns(bytes), reduce.ranks * bytes};
}

PartCosts::Message PartCosts::exchanged(const kernels::Exchange& exchange) const {
  const double extent = static_cast<double>(exchange.whole.shape[exchange.axis]);
  const double row = on_wire(exchange.whole) / extent * (1.0 - static_cast<double>(exchange.first_element) / static_cast<double>(exchange.whole.shape.back()));
  // Every rank's op knows who sends what to whom. The next layer waits for the busiest.
  const auto ranks = static_cast<int>(exchange.owned.size());
  std::vector<double> sent(exchange.owned.size()), received(exchange.owned.size());
  for (int from = 0; from < ranks; ++from) {
    for (int to = 0; to < ranks; ++to) {
      if (from == to) continue;
      for (const kernels::Range& part : exchange.taken(from, to)) {
        sent[static_cast<std::size_t>(from)] += row * static_cast<double>(part.size());
        received[static_cast<std::size_t>(to)] += row * static_cast<double>(part.size());
      }
    }
  }
  const double busiest = std::max(*std::max_element(sent.begin(), sent.end()), *std::max_element(received.begin(), received.end()));
  const double all = std::accumulate(sent.begin(), sent.end(), 0.0);
  return {busiest > 0.0 ? message_ns(busiest) : 0.0, all};
}

}  // namespace edgelab::tasks
