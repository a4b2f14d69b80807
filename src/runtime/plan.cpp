#include "runtime/plan.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "kernels/reorder/reorder.hpp"
#include "runtime/choose.hpp"
#include "runtime/memory_plan.hpp"

namespace edgelab::runtime {

using graph::Graph;
using graph::Node;
using graph::Value;
using graph::ValueId;
using graph::ValueKind;
using kernels::CallSite;
using kernels::Layout;
using kernels::TensorType;

namespace {

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
  PlanBuilder(const Graph& graph, const PlanOptions& options) : options_(options), scope_{&graph, std::vector<std::vector<Version>>(graph.values().size())} {
    plan_.threads_ = options.threads;
    plan_.on_device_ = options.device != nullptr;
    plan_.packs_ = options.packs ? options.packs : std::make_shared<kernels::PackCache>();
  }

  std::shared_ptr<const Plan> build() {
    use_threads(options_.threads);  // oneDNN fixes its split of the work at creation
    for (const ValueId id : graph().inputs()) versions_of(id).push_back({Layout::plain(graph().type(id)), new_block(Layout::plain(graph().type(id)).bytes()), {}});
    for (const Node& node : graph().nodes()) add_node(node);
    std::vector<std::size_t> output_blocks;
    for (const ValueId id : graph().outputs()) output_blocks.push_back(output_block(id));
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

  // The graph whose nodes are being added, and where its values lie: the plan's own, or for a while a fused node's unfused.
  struct Scope {
    const Graph* graph;
    std::vector<std::vector<Version>> versions;  // one list a value
  };
  const Graph& graph() const { return *scope_.graph; }

  int step() const { return static_cast<int>(plan_.steps_.size()); }

  std::size_t new_block(std::size_t bytes) {
    blocks_.push_back({bytes, step(), step()});
    return blocks_.size() - 1;
  }

  // All layouts in which the value lies by now; the first is the one that its producer wrote.
  std::vector<Version>& versions_of(ValueId id) {
    auto& versions = scope_.versions[static_cast<std::size_t>(id.index)];
    const Value& value = graph().value(id);
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
    const TensorType type = graph().type(id);
    const Layout offered[] = {from.layout};
    const Tensor no_constant[1] = {};
    const CallSite site{reorder, {&type, 1}, {&type, 1}, no_constant, offered, options_.threads, this_machine(), plan_.packs_.get()};
    PlanOptions first_that_accepts = options_;
    first_that_accepts.choices = nullptr;
    const Ways ways = ways_of(site, first_that_accepts);
    if (ways.accepted.empty()) throw Error(ErrorKind::data, "layer " + layer + ": a value can't be brought into the layout that it wants").got(ways.refused);
    const auto bytes = static_cast<std::int64_t>(2 * type.bytes());
    const std::vector<std::size_t> outputs = emit_chosen(reorder, layer, ways.accepted.front(), ways.refused, {from}, bytes, 0, 0.0);
    versions_of(id).push_back({wanted, outputs.front(), {}});
    return versions_of(id).back();
  }

  void add_node(const Node& node) {
    const std::vector<TensorType> input_types = graph().types_of(node.inputs), output_types = graph().types_of(node.outputs);
    std::vector<Tensor> constants;
    std::vector<Layout> offered;
    std::int64_t bytes = 0;
    for (const ValueId id : node.inputs) {
      const bool fixed = graph().value(id).kind == ValueKind::constant || !options_.weights_change;
      constants.push_back(fixed ? versions_of(id).front().constant : Tensor());
      offered.push_back(versions_of(id).front().layout);
      bytes += static_cast<std::int64_t>(graph().type(id).bytes());
    }
    for (const TensorType& type : output_types) bytes += static_cast<std::int64_t>(type.bytes());
    const CallSite site{node.op, input_types, output_types, constants, offered, options_.threads, this_machine(), plan_.packs_.get()};
    Ways ways = ways_of(site, options_);
    const Choices::Choice choice = choose(node, site, ways, options_);
    std::string passed_over = ways.refused;
    join(passed_over, choice.times);
    if (choice.name == Choices::kUnfused) return add_unfused(node, std::string(node.op.name()) + ": " + passed_over);
    Way& way = way_named(ways, choice.name);
    std::vector<Version> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(in_layout(node.inputs[i], way.offer.inputs[i], node.name));
    const std::vector<Layout> layouts = way.offer.outputs;
    join(passed_over, fused_passed_over_);
    const auto outputs = emit_chosen(node.op, node.name, way, passed_over, inputs, bytes, graph().flop(node), zero_share(graph(), node));
    for (std::size_t i = 0; i < outputs.size(); ++i) versions_of(node.outputs[i]).push_back({layouts[i], outputs[i], {}});
  }

  static Way& way_named(Ways& ways, const std::string& name) {
    return *std::find_if(ways.accepted.begin(), ways.accepted.end(), [&](const Way& way) { return way.name() == name; });
  }

  // The nodes that a fused one stands for, in its place.
  void add_unfused(const Node& node, std::string why) {
    Scope inner{node.unfused.get(), std::vector<std::vector<Version>>(node.unfused->values().size())};
    std::size_t next = 0;
    for (const ValueId id : node.inputs) {
      const ValueKind kind = graph().value(id).kind;
      if (kind != ValueKind::input && kind != ValueKind::result) continue;
      inner.versions[static_cast<std::size_t>(node.unfused->inputs()[next++].index)] = versions_of(id);
    }
    std::swap(scope_, inner);
    std::swap(fused_passed_over_, why);
    for (const Node& part : graph().nodes()) add_node(part);
    const std::vector<Version> output = versions_of(graph().outputs().front());
    std::swap(scope_, inner);
    std::swap(fused_passed_over_, why);
    versions_of(node.outputs.front()) = output;
  }

  std::vector<std::size_t> emit_chosen(const kernels::Op& op, const std::string& layer, const Way& way, const std::string& passed_over,
                                       std::vector<Version> inputs, std::int64_t bytes, std::int64_t flop, double sparsity) {
    for (const Version& input : inputs) {
      if (!input.constant.defined()) blocks_[input.block].last = step();
    }
    StepBlocks blocks{std::move(inputs), {}, new_block(way.offer.scratch_bytes)};
    for (const Layout& layout : way.offer.outputs) blocks.outputs.push_back(new_block(layout.bytes()));
    const std::vector<std::size_t> outputs = blocks.outputs;
    Plan::Step planned;
    const std::string implementation = std::string(way.name()) + (way.offer.detail.empty() ? "" : " " + way.offer.detail);
    planned.info = {layer, described(op), op.compute(), way.offer.effective, implementation, passed_over, flop, bytes, sparsity,
                    options_.tf32 && way.offer.detail.find("tf32") != std::string::npos};
    planned.kernel = way.offer.prepare();
    plan_.steps_.push_back(std::move(planned));
    step_blocks_.push_back(std::move(blocks));
    return outputs;
  }

  std::size_t output_block(ValueId id) {
    const Version version = in_layout(id, Layout::plain(graph().type(id)), "output");
    if (version.constant.defined()) throw Error(ErrorKind::data, "an output of the graph is a constant").got(graph().value(id).name);
    return version.block;
  }

  // Inputs stand through the whole run, so that the same input can be run again; outputs until it ends.
  void keep_ports(const std::vector<std::size_t>& output_blocks) {
    for (const ValueId id : graph().inputs()) {
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
    const auto port = [&](ValueId id, std::size_t block) {
      return Plan::Port{graph().value(id).name, graph().type(id), memory.offsets[block], static_cast<std::size_t>(blocks_[block].first)};
    };
    for (const ValueId id : graph().inputs()) plan_.inputs_.push_back(port(id, versions_of(id).front().block));
    for (std::size_t i = 0; i < output_blocks.size(); ++i) plan_.outputs_.push_back(port(graph().outputs()[i], output_blocks[i]));
  }

  const PlanOptions& options_;
  Plan plan_;
  Scope scope_;
  std::string fused_passed_over_;  // why not the fused node whose nodes are being added
  std::vector<Lifetime> blocks_;
  std::vector<StepBlocks> step_blocks_;
};

std::shared_ptr<const Plan> Plan::compile(const Graph& graph, const PlanOptions& options) { return PlanBuilder(graph, options).build(); }

}  // namespace edgelab::runtime
