#include "models/weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "models/convert.hpp"
#include "models/safetensors/header.hpp"

namespace edgelab::models {

namespace {

using graph::Graph;
using graph::ValueId;

constexpr std::size_t kListed = 10;
// Names come from a file: the time that a suggestion may take is bounded.
constexpr std::size_t kLongestCandidate = 200, kMostCandidates = 5000;

struct Match {
  ValueId weight;
  const Tensor* tensor;
};

struct Comparison {
  std::vector<Match> matches;
  std::vector<std::string> missing, superfluous, misshapen;  // the last as whole sentences
  std::vector<std::string> ignored;
};

bool convertible(DType from, DType to) { return from == to || (to == DType::f32 && is_floating(from)); }

std::string type_text(DType type, const Shape& shape) { return fmt::format("{} {}", safetensors_name_of(type), shape.text()); }

void compare_one(const graph::Value& value, ValueId id, const Tensor& tensor, Comparison& result) {
  if (tensor.shape() == value.type.shape && convertible(tensor.dtype(), value.type.dtype)) {
    result.matches.push_back({id, &tensor});
    return;
  }
  result.misshapen.push_back(fmt::format("{} doesn't fit: got {}, expected {}", shown(value.name), type_text(tensor.dtype(), tensor.shape()),
                                         type_text(value.type.dtype, value.type.shape)));
}

Comparison compare(const Graph& graph, std::span<const NamedTensor> tensors) {
  std::map<std::string_view, const Tensor*> given;
  for (const NamedTensor& item : tensors) given.emplace(item.name, &item.tensor);
  Comparison result;
  std::map<std::string_view, ValueId> wanted;
  for (const ValueId id : graph.weights()) {
    const graph::Value& value = graph.value(id);
    wanted.emplace(value.name, id);
    const auto found = given.find(value.name);
    if (found == given.end()) {
      result.missing.push_back(value.name);
    } else {
      compare_one(value, id, *found->second, result);
    }
  }
  for (const NamedTensor& item : tensors) {
    if (wanted.count(item.name) > 0) continue;
    (item.name.ends_with("num_batches_tracked") ? result.ignored : result.superfluous).push_back(item.name);
  }
  return result;
}

std::string suggestion(const std::string& name, const std::vector<std::string>& candidates) {
  if (name.size() > kLongestCandidate) return "";
  std::vector<std::string> few;
  for (const std::string& candidate : candidates) {
    if (candidate.size() <= kLongestCandidate && few.size() < kMostCandidates) few.push_back(candidate);
  }
  const std::string nearest = nearest_name(name, few);
  return nearest.empty() ? "" : fmt::format(", nearest is {}", shown(nearest));
}

const graph::Value& value_named(const Graph& graph, const std::string& name) {
  const auto ids = graph.weights();
  return graph.value(*std::ranges::find_if(ids, [&](ValueId id) { return graph.value(id).name == name; }));
}

// A missing tensor is looked for among those that nobody wants, and the other way round: that is what a slip looks like.
std::vector<std::string> sentences(const Graph& graph, const Comparison& comparison) {
  std::vector<std::string> list = comparison.misshapen;
  for (const std::string& name : comparison.missing) {
    if (list.size() >= kListed) break;
    const graph::TensorType& type = value_named(graph, name).type;
    list.push_back(fmt::format("{} is missing: expected {}{}", shown(name), type_text(type.dtype, type.shape),
                               suggestion(name, comparison.superfluous)));
  }
  std::vector<std::string> wanted = comparison.missing;
  if (wanted.empty()) {
    for (const ValueId id : graph.weights()) wanted.push_back(graph.value(id).name);
  }
  for (const std::string& name : comparison.superfluous) {
    if (list.size() >= kListed) break;
    list.push_back(fmt::format("{} belongs to no layer{}", shown(name), suggestion(name, wanted)));
  }
  return list;
}

void require_fit(const Graph& graph, const Comparison& comparison, const std::string& file) {
  const std::size_t count = comparison.misshapen.size() + comparison.missing.size() + comparison.superfluous.size();
  if (count == 0) return;
  std::string text = fmt::format("the weights don't fit the model, {} tensor{}", count, count == 1 ? "" : "s");
  const std::vector<std::string> list = sentences(graph, comparison);
  for (std::size_t i = 0; i < std::min(list.size(), kListed); ++i) text += (i == 0 ? ": " : "; ") + list[i];
  if (count > kListed) text += fmt::format("; and {} more", count - kListed);
  throw Error(ErrorKind::data, text).at({file}).hint("check arch, classes and the sizes under model");
}

}  // namespace

BindReport bind(Graph& graph, const Safetensors& file) { return models::bind(graph, std::span<const NamedTensor>(file.tensors()), file.path().string()); }

BindReport bind(Graph& graph, const ModelWeights& weights) { return models::bind(graph, std::span<const NamedTensor>(weights.tensors), weights.place); }

BindReport bind(Graph& graph, std::span<const NamedTensor> tensors, const std::string& place) {
  Comparison comparison = compare(graph, tensors);
  require_fit(graph, comparison, place);
  BindReport report;
  for (const Match& match : comparison.matches) {
    const bool widen = match.tensor->dtype() != graph.value(match.weight).type.dtype;
    graph.bind(match.weight, widen ? match.tensor->to_f32() : *match.tensor);
    ++report.bound;
    report.widened += widen ? 1 : 0;
  }
  report.ignored = std::move(comparison.ignored);
  return report;
}

std::vector<NamedTensor> named_weights(const Graph& graph) {
  std::vector<NamedTensor> list;
  for (const ValueId id : graph.weights()) {
    if (graph.value(id).known()) list.push_back({graph.value(id).name, graph.value(id).data});
  }
  return list;
}

}  // namespace edgelab::models
