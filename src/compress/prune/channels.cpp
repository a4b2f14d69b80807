#include "compress/prune/channels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <ranges>
#include <tuple>

#include "core/error.hpp"
#include "models/reshape.hpp"

namespace edgelab::compress {
namespace {

using graph::Graph;
using graph::ValueId;
using Units = std::vector<std::int64_t>;

std::map<std::string, ValueId> weights_by_name(const Graph& model) {
  std::map<std::string, ValueId> ids;
  for (const ValueId id : model.weights()) ids.emplace(model.value(id).name, id);
  return ids;
}

// Elements of a weight by its axis: [before, extent, behind].
struct Cut {
  std::int64_t before = 1, extent = 1, behind = 1;
  Cut(const Shape& shape, int axis) : extent(shape[axis]) {
    for (int i = 0; i < shape.rank(); ++i) (i < axis ? before : behind) *= i == axis ? 1 : shape[i];
  }
};

// The unit that an index of a member's axis belongs to.
std::int64_t unit_at(const GroupMember& member, std::int64_t units, std::int64_t index) { return index / member.width % units; }

bool judged_by(const Graph& model, ValueId id, Criterion criterion) {
  const graph::Value& value = model.value(id);
  if (value.kind != graph::ValueKind::parameter) return false;
  if (criterion != Criterion::bn_scale) return value.type.shape.rank() >= 2;
  return value.type.shape.rank() == 1 && value.name.ends_with(".weight");
}

void add_member(const Graph& model, ValueId id, const GroupMember& member, std::int64_t units, Criterion criterion, const Gradients& gradients, std::vector<double>& worth) {
  Tensor weight = model.value(id).data, slope;
  if (criterion == Criterion::taylor) {
    const auto found = gradients.find(member.weight);
    if (found == gradients.end()) throw Error(ErrorKind::usage, "no gradient to judge " + member.weight + " by");
    slope = found->second;
  }
  const auto values = weight.as<float>();
  const float* slopes = slope.defined() ? slope.as<float>().data() : nullptr;
  const Cut cut(weight.shape(), member.axis);
  std::vector<double> sums(static_cast<std::size_t>(units), 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i) / cut.behind % cut.extent;
    const double value = static_cast<double>(values[i]) * (slopes == nullptr ? 1.0 : static_cast<double>(slopes[i]));
    sums[static_cast<std::size_t>(unit_at(member, units, index))] += std::abs(value);
  }
  const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(units);
  for (std::size_t u = 0; u < sums.size(); ++u) worth[u] += mean > 0.0 ? sums[u] / mean : 0.0;
}

std::int64_t least_units(const ChannelGroup& group) {
  if (group.heads) return 1;
  return std::min(group.units, std::max(kWidthMultiple, group.units / kLeastShare / kWidthMultiple * kWidthMultiple));
}

// How many units stay where `count` are important enough.
std::int64_t rounded_units(const ChannelGroup& group, std::int64_t count) {
  const std::int64_t multiple = group.heads ? 1 : kWidthMultiple;
  return std::clamp((count + multiple / 2) / multiple * multiple, least_units(group), group.units);
}

Units most_important(const std::vector<double>& worth, std::int64_t count) {
  Units order(worth.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return worth[static_cast<std::size_t>(a)] > worth[static_cast<std::size_t>(b)]; });
  order.resize(static_cast<std::size_t>(count));
  std::sort(order.begin(), order.end());
  return order;
}

models::Shapes shapes_with(const Graph& model, const std::vector<ChannelGroup>& groups, const std::vector<Units>& keep) {
  models::Shapes shapes = models::shapes_of(model);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const GroupMember& member : groups[g].members) {
      shapes.at(member.weight)[member.axis] = static_cast<std::int64_t>(keep[g].size()) * member.width * member.repeats;
    }
  }
  return shapes;
}

Tensor cut_down(const Tensor& tensor, const GroupMember& member, std::int64_t units, const Units& keep) {
  const Cut cut(tensor.shape(), member.axis);
  Shape shape = tensor.shape();
  shape[member.axis] = static_cast<std::int64_t>(keep.size()) * member.width * member.repeats;
  Tensor result(tensor.dtype(), shape);
  const std::size_t run = static_cast<std::size_t>(member.width * cut.behind) * size_of(tensor.dtype());
  std::byte* to = result.data();
  for (std::int64_t before = 0; before < cut.before; ++before) {
    for (std::int64_t repeat = 0; repeat < member.repeats; ++repeat) {
      for (const std::int64_t unit : keep) {
        const std::int64_t index = before * cut.extent + (repeat * units + unit) * member.width;
        std::memcpy(to, tensor.data() + static_cast<std::size_t>(index * cut.behind) * size_of(tensor.dtype()), run);
        to += run;
      }
    }
  }
  return result;
}

bool skipped(const ChannelGroup& group, const std::vector<std::string>& skip) {
  return std::any_of(group.members.begin(), group.members.end(), [&](const GroupMember& member) {
    return std::find(skip.begin(), skip.end(), member.weight.substr(0, member.weight.rfind('.'))) != skip.end();
  });
}

// The groups of all units, the least important unit first. Of equals those go first that stand lower among their own group's, so
// that all groups lose alike where nothing tells units apart.
std::vector<std::size_t> groups_in_order(const std::vector<std::vector<double>>& importance) {
  std::vector<std::tuple<double, double, std::size_t>> all;  // worth, standing in the group, the group
  for (std::size_t g = 0; g < importance.size(); ++g) {
    std::vector<double> worth = importance[g];
    std::sort(worth.begin(), worth.end());
    for (std::size_t i = 0; i < worth.size(); ++i) all.emplace_back(worth[i], static_cast<double>(i) / static_cast<double>(worth.size()), g);
  }
  std::sort(all.begin(), all.end());
  std::vector<std::size_t> order;
  for (const auto& unit : all) order.push_back(std::get<2>(unit));
  return order;
}

// The units that stay without the first `gone` of that order, but as many as have to.
std::vector<Units> without_first(const std::vector<ChannelGroup>& groups, const std::vector<std::vector<double>>& importance,
                                 const std::vector<std::size_t>& order, std::size_t gone, const std::vector<std::string>& skip) {
  std::vector<std::int64_t> lost(groups.size(), 0);
  for (std::size_t i = 0; i < gone; ++i) ++lost[order[i]];
  std::vector<Units> keep;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::int64_t units = groups[g].units;
    keep.push_back(most_important(importance[g], skipped(groups[g], skip) ? units : rounded_units(groups[g], units - lost[g])));
  }
  return keep;
}

}  // namespace

std::vector<double> unit_importance(const Graph& model, const ChannelGroup& group, Criterion criterion, const Gradients& gradients) {
  const auto ids = weights_by_name(model);
  std::vector<double> worth(static_cast<std::size_t>(group.units), 0.0);
  int judged = 0;
  for (const GroupMember& member : group.members) {
    const ValueId id = ids.at(member.weight);
    if (!judged_by(model, id, criterion)) continue;
    add_member(model, id, member, group.units, criterion, gradients, worth);
    ++judged;
  }
  if (judged == 0) throw Error(ErrorKind::usage, "no batch normalisation to judge the channels of " + group.name + " by").hint("say method: magnitude or taylor");
  for (double& value : worth) value /= judged;
  return worth;
}

std::vector<Units> units_to_keep(const Graph& model, const std::vector<ChannelGroup>& groups, const std::vector<std::vector<double>>& importance,
                                 const ChannelTarget& target, const std::vector<std::string>& skip) {
  const std::vector<std::size_t> order = groups_in_order(importance);
  const auto without = [&](std::size_t gone) { return without_first(groups, importance, order, gone, skip); };
  const auto share = [&](const std::vector<Units>& keep) {
    const Graph smaller = models::reshaped(model, shapes_with(model, groups, keep));
    return target.flops ? static_cast<double>(smaller.flop()) / static_cast<double>(model.flop())
                        : static_cast<double>(smaller.parameter_elements()) / static_cast<double>(model.parameter_elements());
  };
  const double wanted = target.flops ? *target.flops : 1.0 - *target.sparsity;
  const auto small_enough = [&](std::size_t gone) { return share(without(gone)) <= wanted; };
  if (!small_enough(order.size())) {
    throw Error(ErrorKind::usage, "pruning channels can't make the model as small as that")
        .got(fmt::format("{:.0f} % of its {}", 100 * wanted, target.flops ? "FLOPs" : "parameters"))
        .expected(fmt::format("at least {:.1f} %", 100 * share(without(order.size()))));
  }
  const auto counts = std::views::iota(std::size_t{0}, order.size() + 1);
  return without(*std::ranges::partition_point(counts, [&](std::size_t gone) { return !small_enough(gone); }));
}

std::vector<Units> most_important_of(const std::vector<ChannelGroup>& groups, std::size_t group, const std::vector<double>& importance, double sparsity) {
  std::vector<Units> keep;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Units all(static_cast<std::size_t>(groups[g].units));
    std::iota(all.begin(), all.end(), 0);
    const auto stay = std::max<std::int64_t>(1, std::llround((1.0 - sparsity) * static_cast<double>(groups[g].units)));
    keep.push_back(g == group ? most_important(importance, stay) : all);
  }
  return keep;
}

Graph without_units(const Graph& model, const std::vector<ChannelGroup>& groups, const std::vector<Units>& keep) {
  const auto ids = weights_by_name(model);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, id] : ids) tensors.emplace(name, model.value(id).data);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const GroupMember& member : groups[g].members) {
      Tensor& tensor = tensors.at(member.weight);
      tensor = cut_down(tensor, member, groups[g].units, keep[g]);
    }
  }
  Graph smaller = models::reshaped(model, shapes_with(model, groups, keep));
  for (const ValueId id : smaller.weights()) smaller.bind(id, tensors.at(smaller.value(id).name));
  return smaller;
}

}  // namespace edgelab::compress
