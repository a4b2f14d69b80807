#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/prune/channel_groups.hpp"
#include "compress/prune/importance.hpp"

namespace edgelab::compress {

// How small a model is to be: one of the two.
struct ChannelTarget {
  std::optional<double> flops;     // share of the FLOPs that stays
  std::optional<double> sparsity;  // share of the parameters that goes
};

// Widths that stay: whole multiples of 8, which vectors like; of heads any. No group loses more than seven eighths.
inline constexpr std::int64_t kWidthMultiple = 8, kLeastShare = 8;

// What each unit of a group is worth: the mean over the weights it lies in of what its elements are worth there, each relative to the mean of
// that weight, so that groups and layers compare. By bn_scale only the normalisations' γ count. Throws Error (usage) where the
// criterion has nothing to judge by.
std::vector<double> unit_importance(const graph::Graph& model, const ChannelGroup& group, Criterion criterion, const Gradients& gradients);

// The units of each group that stay, ascending: the most important ones of all groups together, as many as the target allows; of
// equally important ones every group loses alike. Groups that a layer of `skip` has a part in stay whole. Throws Error (usage)
// if the least widths are too wide for the target.
std::vector<std::vector<std::int64_t>> units_to_keep(const graph::Graph& model, const std::vector<ChannelGroup>& groups,
                                                     const std::vector<std::vector<double>>& importance, const ChannelTarget& target,
                                                     const std::vector<std::string>& skip);

// For a look at one group alone: the most important ones of its units, all but a share of them (at least one stays), and every unit
// of the others.
std::vector<std::vector<std::int64_t>> most_important_of(const std::vector<ChannelGroup>& groups, std::size_t group, const std::vector<double>& importance,
                                                         double sparsity);

// The model without the other units: smaller weights, fewer FLOPs.
graph::Graph without_units(const graph::Graph& model, const std::vector<ChannelGroup>& groups, const std::vector<std::vector<std::int64_t>>& keep);

}  // namespace edgelab::compress
