#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::compress {

// Where a group's units lie in one weight. Unit u has the indices r · units · width + u · width … + width − 1 of the axis, for each r
// below `repeats`: a channel is one index, a head's queries, keys and values are three runs of its size.
struct GroupMember {
  std::string weight;
  int axis = 0;
  std::int64_t width = 1, repeats = 1;
};

// Units that can go only together in all these weights: the outputs of a layer and whoever reads them, in step over residual sums
// and depthwise convolutions; an MLP's hidden units; attention's heads.
struct ChannelGroup {
  std::string name;  // the first layer that makes them
  std::int64_t units = 0;
  bool heads = false;
  std::vector<GroupMember> members;
};

// Worked out from the graph, op by op. What has to stay as it is makes no group: the images' and the result's channels, what a layer
// normalisation works on (its mean and variance would be others without some of them), and what ops unknown here read or write.
std::vector<ChannelGroup> channel_groups(const graph::Graph& model);

}  // namespace edgelab::compress
