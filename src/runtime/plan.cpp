#include "runtime/plan.hpp"

#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "kernels/reorder/reorder.hpp"
#include "runtime/memory_plan.hpp"

namespace edgelab::runtime {

using graph::Graph;
using graph::Node;
using graph::Value;
using graph::ValueId;
using graph::ValueKind;
using kernels::CallSite;
using kernels::Implementation;
using kernels::Layout;
using kernels::Offer;
using kernels::TensorType;

namespace {

struct Choice {
  Offer offer;
  std::string implementation, refused;
};

bool allowed(const PlanOptions& options, std::string_view name) {
  const auto& names = options.implementations;
  return names.empty() || name == "reference" || name == "copy" || std::find(names.begin(), names.end(), name) != names.end();
}

// The first implementation of the op's list that makes an offer; the refusals of those before it are kept.
Choice choose(const CallSite& site, const PlanOptions& options) {
  Choice choice;
  for (const Implementation& implementation : site.op.implementations()) {
    Offer offer = allowed(options, implementation.name) ? implementation.offer(site) : Offer::refuse("not among the implementations asked for");
    if (!offer.refusal) {
      choice.implementation = std::string(implementation.name);
      if (!offer.detail.empty()) choice.implementation += " " + offer.detail;
      choice.offer = std::move(offer);
      return choice;
    }
    choice.refused += (choice.refused.empty() ? "" : "; ") + std::string(implementation.name) + ": " + *offer.refusal;
  }
  throw Error(ErrorKind::data, "no implementation of " + std::string(site.op.name()) + " accepts this layer").got(choice.refused);
}

double zero_share(const Graph& graph, const Node& node) {
  std::int64_t zeros = 0, all = 0;
  for (const ValueId id : node.inputs) {
    const Value& value = graph.value(id);
    if (value.kind != ValueKind::parameter || value.type.shape.rank() < 2 || value.type.dtype != DType::f32) continue;
    const auto elements = value.data.as<float>();
    zeros += std::count(elements.begin(), elements.end(), 0.0f);
    all += static_cast<std::int64_t>(elements.size());
  }
  return all == 0 ? 0.0 : static_cast<double>(zeros) / static_cast<double>(all);
}

std::string described(const kernels::Op& op) {
  const std::string text = op.text();
  return std::string(op.name()) + (text.empty() ? "" : "{" + text + "}");
}

}  // namespace

class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, const PlanOptions& options) : graph_(graph), options_(options), versions_(graph.values().size()) {
    plan_.threads_ = options.threads;
    plan_.packs_ = options.packs ? options.packs : std::make_shared<kernels::PackCache>();
  }

  std::shared_ptr<const Plan> build() {
    use_threads(options_.threads);  // oneDNN fixes its split of the work at creation
    for (const ValueId id : graph_.inputs()) versions_of(id).push_back({Layout::plain(graph_.type(id)), new_block(Layout::plain(graph_.type(id)).bytes()), {}});
    for (const Node& node : graph_.nodes()) add_node(node);
    std::vector<std::size_t> output_blocks;
    for (const ValueId id : graph_.outputs()) output_blocks.push_back(output_block(id));
    keep_ports(output_blocks);
    place_blocks(output_blocks);
    return std::make_shared<const Plan>(std::move(plan_));
  }

 private:
  // A value in one layout: in a block of the arena, or in a constant.
  struct Version {
    Layout layout;
    std::size_t block = 0;
    Tensor constant;
  };
  // Block numbers of a step, turned into offsets once the whole plan is known.
  struct StepBlocks {
    std::vector<Version> inputs;
    std::vector<std::size_t> outputs;
    std::size_t scratch = 0;
  };

  int step() const { return static_cast<int>(plan_.steps_.size()); }

  std::size_t new_block(std::size_t bytes) {
    blocks_.push_back({bytes, step(), step()});
    return blocks_.size() - 1;
  }

  // All layouts in which the value lies by now; the first is the one that its producer wrote.
  std::vector<Version>& versions_of(ValueId id) {
    auto& versions = versions_[static_cast<std::size_t>(id.index)];
    const Value& value = graph_.value(id);
    if (versions.empty() && value.kind != ValueKind::result && value.kind != ValueKind::input) {
      if (!value.known()) throw Error(ErrorKind::data, "the weight " + value.name + " has no data").hint("bind the model's weights before planning");
      versions.push_back({Layout::plain(value.type), 0, value.data});
    }
    return versions;
  }

  Version in_layout(ValueId id, const Layout& wanted, const std::string& layer) {
    for (const Version& version : versions_of(id)) {
      if (version.layout == wanted) return version;
    }
    const Version from = versions_of(id).front();
    const kernels::Op reorder = kernels::Reorder{wanted};
    const TensorType type = graph_.type(id);
    const Layout offered[] = {from.layout};
    const Tensor no_constant[1] = {};
    const CallSite site{reorder, {&type, 1}, {&type, 1}, no_constant, offered, options_.threads, this_machine(), plan_.packs_.get()};
    const std::vector<std::size_t> outputs = emit(reorder, layer, site, {from}, static_cast<std::int64_t>(2 * type.bytes()), 0, 0.0);
    versions_of(id).push_back({wanted, outputs.front(), {}});
    return versions_of(id).back();
  }

  void add_node(const Node& node) {
    const std::vector<TensorType> input_types = graph_.types_of(node.inputs), output_types = graph_.types_of(node.outputs);
    std::vector<Tensor> constants;
    std::vector<Layout> offered;
    std::int64_t bytes = 0;
    for (const ValueId id : node.inputs) {
      constants.push_back(versions_of(id).front().constant);
      offered.push_back(versions_of(id).front().layout);
      bytes += static_cast<std::int64_t>(graph_.type(id).bytes());
    }
    for (const TensorType& type : output_types) bytes += static_cast<std::int64_t>(type.bytes());
    const CallSite site{node.op, input_types, output_types, constants, offered, options_.threads, this_machine(), plan_.packs_.get()};
    Choice choice = choose(site, options_);
    std::vector<Version> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(in_layout(node.inputs[i], choice.offer.inputs[i], node.name));
    const std::vector<Layout> layouts = choice.offer.outputs;
    const auto outputs = emit_chosen(node.op, node.name, std::move(choice), inputs, bytes, graph_.flop(node), zero_share(graph_, node));
    for (std::size_t i = 0; i < outputs.size(); ++i) versions_of(node.outputs[i]).push_back({layouts[i], outputs[i], {}});
  }

  std::vector<std::size_t> emit(const kernels::Op& op, const std::string& layer, const CallSite& site, std::vector<Version> inputs,
                                std::int64_t bytes, std::int64_t flop, double sparsity) {
    return emit_chosen(op, layer, choose(site, options_), std::move(inputs), bytes, flop, sparsity);
  }

  std::vector<std::size_t> emit_chosen(const kernels::Op& op, const std::string& layer, Choice choice, std::vector<Version> inputs,
                                       std::int64_t bytes, std::int64_t flop, double sparsity) {
    for (const Version& input : inputs) {
      if (!input.constant.defined()) blocks_[input.block].last = step();
    }
    StepBlocks blocks{std::move(inputs), {}, new_block(choice.offer.scratch_bytes)};
    for (const Layout& layout : choice.offer.outputs) blocks.outputs.push_back(new_block(layout.bytes()));
    const std::vector<std::size_t> outputs = blocks.outputs;
    Plan::Step planned;
    planned.info = {layer, described(op), DType::f32, DType::f32, choice.implementation, choice.refused, flop, bytes, sparsity};
    planned.kernel = choice.offer.prepare();
    plan_.steps_.push_back(std::move(planned));
    step_blocks_.push_back(std::move(blocks));
    return outputs;
  }

  std::size_t output_block(ValueId id) {
    const Version version = in_layout(id, Layout::plain(graph_.type(id)), "output");
    if (version.constant.defined()) throw Error(ErrorKind::data, "an output of the graph is a constant").got(graph_.value(id).name);
    return version.block;
  }

  // Inputs stand through the whole run, so that the same input can be run again; outputs until it ends.
  void keep_ports(const std::vector<std::size_t>& output_blocks) {
    for (const ValueId id : graph_.inputs()) {
      Lifetime& block = blocks_[versions_of(id).front().block];
      block.first = 0;
      block.last = step();
    }
    for (const std::size_t block : output_blocks) blocks_[block].last = step();
  }

  void place_blocks(const std::vector<std::size_t>& output_blocks) {
    const MemoryPlan memory = plan_memory(blocks_);
    plan_.arena_bytes_ = memory.bytes;
    plan_.arena_lower_bound_ = memory.lower_bound;
    for (std::size_t s = 0; s < step_blocks_.size(); ++s) {
      Plan::Step& planned = plan_.steps_[s];
      for (const Version& input : step_blocks_[s].inputs) {
        planned.inputs.push_back({input.constant.defined() ? 0 : memory.offsets[input.block], input.constant});
      }
      for (const std::size_t block : step_blocks_[s].outputs) planned.outputs.push_back({memory.offsets[block], {}});
      planned.scratch = memory.offsets[step_blocks_[s].scratch];
    }
    const auto port = [&](ValueId id, std::size_t block) { return Plan::Port{graph_.value(id).name, graph_.type(id), memory.offsets[block]}; };
    for (const ValueId id : graph_.inputs()) plan_.inputs_.push_back(port(id, versions_of(id).front().block));
    for (std::size_t i = 0; i < output_blocks.size(); ++i) plan_.outputs_.push_back(port(graph_.outputs()[i], output_blocks[i]));
  }

  const Graph& graph_;
  const PlanOptions& options_;
  Plan plan_;
  std::vector<std::vector<Version>> versions_;
  std::vector<Lifetime> blocks_;
  std::vector<StepBlocks> step_blocks_;
};

std::shared_ptr<const Plan> Plan::compile(const Graph& graph, const PlanOptions& options) { return PlanBuilder(graph, options).build(); }

}  // namespace edgelab::runtime
