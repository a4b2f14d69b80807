#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "compress/quantize/histogram.hpp"
#include "compress/quantize/layers.hpp"
#include "graph/graph.hpp"

namespace edgelab::compress {

// What calibration saw of one value of a model.
struct Observation {
  Histogram numbers;
  // By channel: axis 1 of feature maps, the last of everything else.
  std::vector<double> sum;
  std::vector<float> largest;  // magnitude
  std::int64_t of_a_channel = 0;

  void add(const Observation& other);
  double mean(std::size_t channel) const { return of_a_channel == 0 ? 0.0 : sum[channel] / static_cast<double>(of_a_channel); }
};

// Watches what the layers of a model read while it works on calibration images.
class Observer {
 public:
  // `model`: folded or as written, bound, for any batch; its output is kept as the first.
  explicit Observer(const graph::Graph& model);

  // The layers, each watched value one more output: what is to be run.
  const graph::Graph& graph() const { return layers_; }
  // Adds one run: its images, of which the first `count` are meant, and its outputs. Uses `threads`. Throws Error (data), naming the
  // value, for one that is not finite.
  void note(const Tensor& images, std::span<const Tensor> outputs, std::int64_t count, int threads);

  // From now on its layers' weights lie in memory of their own.
  void own_weights();

  // Of a value that a layer reads, or an attention: its queries, keys and values together, then each.
  const Observation& of(graph::ValueId value) const { return observations_.at(value); }
  const Histogram& part(graph::ValueId packed, std::size_t third) const { return thirds_.at(packed)[third]; }

  // What it saw, for other ranks, and what they saw.
  std::vector<double> packed() const;
  void add(std::span<const double> packed);

 private:
  graph::Graph layers_;
  std::vector<graph::ValueId> watched_;  // the images first if a layer reads them, then the outputs of the graph from the second on
  bool watches_images_ = false;
  std::map<graph::ValueId, Observation> observations_;
  std::map<graph::ValueId, std::vector<Histogram>> thirds_;  // of what attentions read
};

}  // namespace edgelab::compress
