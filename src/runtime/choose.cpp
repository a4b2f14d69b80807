#include "runtime/choose.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "kernels/cuda/implementations.hpp"
#include "kernels/sparse/packed_weight.hpp"
#include "runtime/measure.hpp"

namespace edgelab::runtime {

using graph::Node;
using kernels::CallSite;
using kernels::Implementation;
using kernels::Offer;
using kernels::TensorType;

void join(std::string& list, const std::string& entry) {
  if (!entry.empty()) list += (list.empty() ? "" : "; ") + entry;
}

namespace {

bool allowed(const PlanOptions& options, std::string_view name) {
  const auto& names = options.implementations;
  return names.empty() || name == "reference" || name == "copy" || std::find(names.begin(), names.end(), name) != names.end();
}

Ways ways_on_device(const CallSite& site, const PlanOptions& options) {
  Ways ways;
  const auto list = kernels::cuda::implementations_of(site.op);
  if (list.empty()) join(ways.refused, "cuda: there is no kernel for " + std::string(site.op.name()));
  for (const kernels::cuda::DeviceImplementation& implementation : list) {
    Offer offer = implementation.offer({site, *options.device, options.tf32});
    if (!offer.refusal) {
      ways.accepted.push_back({implementation.name, std::move(offer)});
      break;
    }
    join(ways.refused, std::string(implementation.name) + ": " + *offer.refusal);
  }
  return ways;
}

}  // namespace

Ways ways_of(const CallSite& site, const PlanOptions& options) {
  if (options.device != nullptr) return ways_on_device(site, options);
  Ways ways;
  for (const Implementation& implementation : site.op.implementations()) {
    if (!ways.accepted.empty() && (options.choices == nullptr || implementation.name == "reference")) break;
    Offer offer = allowed(options, implementation.name) ? implementation.offer(site) : Offer::refuse("not among the implementations asked for");
    if (offer.refusal) {
      join(ways.refused, std::string(implementation.name) + ": " + *offer.refusal);
    } else {
      ways.accepted.push_back({implementation.name, std::move(offer), &implementation});
    }
  }
  return ways;
}

namespace {

std::string type_text(const TensorType& type) { return std::string(name_of(type.dtype)) + type.shape.text(); }

// The share of zeros in a node's weights, in steps of a twentieth, and whether they come in fours: what the time of sparse kernels
// depends on. Few zeros are as good as none to all kernels.
std::string zeros_text(const CallSite& site) {
  kernels::sparse::Zeros zeros;
  for (const Tensor& constant : site.constants) {
    if (!constant.defined() || constant.shape().rank() < 2 || constant.dtype() != DType::f32) continue;
    zeros += kernels::sparse::zeros_of(constant);
  }
  const int twentieths = static_cast<int>(20 * zeros.share());
  const bool fours = 2 * zeros.enough < (kernels::sparse::kBreakEven + kernels::sparse::kBreakEvenOfFours) * zeros.all;
  return twentieths < 10 ? "" : ", " + std::to_string(5 * twentieths) + " % zeros" + (fours ? " in fours" : "");
}

// All that the time of a node depends on, but for the machine and the binary.
std::string key_of(const Node& node, const CallSite& site, const Ways& ways) {
  std::string key = std::string(site.op.name()) + "{" + site.op.text() + "}";
  for (std::size_t i = 0; i < site.inputs.size(); ++i) {
    key += ' ' + type_text(site.inputs[i]) + (site.constant(i) ? "w" : "") + std::to_string(static_cast<int>(site.offered[i].kind()));
  }
  key += " ->";
  for (const TensorType& type : site.outputs) key += ' ' + type_text(type);
  for (const Way& way : ways.accepted) key += ' ' + std::string(way.name());
  return key + (node.unfused ? " unfused" : "") + zeros_text(site) + " on " + std::to_string(site.threads);
}

std::string microseconds(std::int64_t ns) { return std::to_string((ns + 500) / 1000) + " µs"; }

// A layer measured alone finds its weights in cache and the threads at its disposal. So within this factor the first of the
// list wins: what is fused and run by the team costs no region of its own, and reads its weights once. (DeiT-S in fp32 lost
// 3 % to layers that were 1 % faster alone.)
constexpr double kTie = 1.05;

// Packs nothing into the plan's own cache: the losers' weights would stay there.
Choices::Choice measure(const Node& node, const CallSite& site, const Ways& ways, const PlanOptions& options) {
  kernels::PackCache packs;
  CallSite trial = site;
  trial.packs = &packs;
  std::vector<std::string> names;
  std::vector<Trial> trials;
  for (const Way& way : ways.accepted) {
    names.emplace_back(way.name());
    trials.push_back(trial_of(trial, way.implementation->offer(trial)));
  }
  if (node.unfused) {
    PlanOptions own_packs = options;
    own_packs.packs = nullptr;
    names.emplace_back(Choices::kUnfused);
    trials.push_back(trial_of(Plan::compile(*node.unfused, own_packs)));
  }
  const std::vector<std::int64_t> times = least_times(trials);
  const auto longest = static_cast<std::int64_t>(kTie * static_cast<double>(*std::min_element(times.begin(), times.end())));
  const auto chosen = std::find_if(times.begin(), times.end(), [&](std::int64_t ns) { return ns <= longest; }) - times.begin();
  Choices::Choice choice{names[static_cast<std::size_t>(chosen)], ""};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != choice.name) join(choice.times, names[i] + " " + microseconds(times[i]) + " against " + microseconds(times[static_cast<std::size_t>(chosen)]));
  }
  return choice;
}

}  // namespace

Choices::Choice choose(const Node& node, const CallSite& site, const Ways& ways, const PlanOptions& options) {
  const bool any = !ways.accepted.empty(), any_fast = any && ways.accepted.front().name() != "reference";
  if (!any && !node.unfused) {
    throw Error(ErrorKind::data, "no implementation of " + std::string(site.op.name()) + " accepts this layer").got(ways.refused);
  }
  if (!any_fast && node.unfused) return {Choices::kUnfused, ""};
  if (options.choices == nullptr || (ways.accepted.size() == 1 && !node.unfused)) return {std::string(ways.accepted.front().name()), ""};
  const std::string key = key_of(node, site, ways);
  if (const auto known = options.choices->find(key)) return *known;
  const Choices::Choice measured = measure(node, site, ways, options);
  options.choices->keep(key, measured);
  return measured;
}

}  // namespace edgelab::runtime
