#pragma once

#include "compress/quantize/observer.hpp"
#include "graph/graph.hpp"

// Changes of a float model that leave its answers alone and make it easier on integers. `layers`: graph::quantizable_layers of it,
// whose weights lie in memory of their own; they are changed in place. What the observer saw no longer holds afterwards.
namespace edgelab::compress {

// M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019: of two convolutions, one
// behind the other, each channel between them gets the scale at which both sides' weights of it reach as far. Between them may be
// nothing or relu; under relu6 a channel takes part that never comes near its bound, before and after, as the observer saw it.
// Returns how many channels were scaled.
std::int64_t equalise(graph::Graph& layers, const Observer& observer);

// G. Xiao et al., "SmoothQuant", ICML 2023: the channels of what a layer normalisation gives to linear layers are divided by
// max|x|^alpha / max|w|^(1 − alpha), and the weights multiplied by it. Returns how many normalisations changed.
std::int64_t smooth(graph::Graph& layers, const Observer& observer, double alpha);

}  // namespace edgelab::compress
