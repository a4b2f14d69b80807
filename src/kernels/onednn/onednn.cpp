#include "kernels/onednn/onednn.hpp"

#include <memory>
#include <string>

#include "core/error.hpp"

namespace edgelab::kernels::onednn {

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

namespace {

// A CPU stream holds no state: calls run on the caller's thread and return when they are done.
dnnl_stream_t stream() {
  static const dnnl::stream instance(engine());
  return instance.get();
}

}  // namespace

dnnl::memory::data_type type_of(DType dtype) {
  using Type = dnnl::memory::data_type;
  switch (dtype) {
    case DType::f32: return Type::f32;
    case DType::f16: return Type::f16;
    case DType::bf16: return Type::bf16;
    case DType::s8: return Type::s8;
    case DType::u8: return Type::u8;
    case DType::s32: return Type::s32;
    case DType::s64: break;
  }
  throw dnnl::error(dnnl_unimplemented, "oneDNN has no 64-bit integers");
}

Dims dims_of(const Shape& shape) { return {shape.extents().begin(), shape.extents().end()}; }

Desc plain_desc(const TensorType& type) {
  static constexpr Tag kTags[] = {Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde, Tag::abcdef};
  return {dims_of(type.shape), type_of(type.dtype), kTags[type.shape.rank() - 1]};
}

Desc any_desc(const TensorType& type) { return {dims_of(type.shape), type_of(type.dtype), Tag::any}; }

Desc desc_of(const Layout& layout, const TensorType& type) {
  switch (layout.kind()) {
    case Layout::Kind::plain: return plain_desc(type);
    case Layout::Kind::channels_last: return {dims_of(type.shape), type_of(type.dtype), Tag::nhwc};
    case Layout::Kind::opaque: return Desc(layout.description());
  }
  return {};
}

Layout layout_of(Desc desc, const TensorType& type) {
  if (desc == plain_desc(type)) return Layout::plain(type);
  if (type.shape.rank() == 4 && desc == Desc(dims_of(type.shape), type_of(type.dtype), Tag::nhwc)) return Layout::channels_last(type);
  return Layout::opaque(desc.get_blob(), desc.get_size());
}

void append_activation(dnnl::post_ops& ops, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::none: return;
    case ActivationKind::relu: return ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    case ActivationKind::relu6: return ops.append_eltwise(dnnl::algorithm::eltwise_clip, 0.0f, 6.0f);
    case ActivationKind::gelu: return ops.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
  }
}

namespace {

// A call with its memory fixed: the C entry point, because the C++ one builds a map at each execution.
struct BoundCall {
  dnnl::primitive primitive;
  std::vector<dnnl::memory> memories;  // own the handles in `arguments`
  std::vector<dnnl_exec_arg_t> arguments;

  void run() const {
    dnnl_primitive_execute(primitive.get(), stream(), static_cast<int>(arguments.size()), arguments.data());
  }
};

std::byte* address_of(const Argument& argument, const Buffers& buffers) {
  switch (argument.source) {
    case Argument::Source::input: return const_cast<std::byte*>(buffers.inputs[argument.index]);
    case Argument::Source::output: return buffers.outputs[argument.index];
    case Argument::Source::constant: return const_cast<std::byte*>(argument.constant.data());
    case Argument::Source::scratch: return buffers.scratch + argument.index;
  }
  return nullptr;
}

BoundCall bind(const Call& call, const Buffers& buffers) {
  BoundCall bound{call.primitive, {}, {}};
  for (const Argument& argument : call.arguments) {
    bound.memories.emplace_back(argument.desc, engine(), address_of(argument, buffers));
    bound.arguments.push_back({argument.id, bound.memories.back().get()});
  }
  return bound;
}

}  // namespace

PreparedKernel prepared(std::vector<Call> calls) {
  std::size_t packed = 0;
  for (const Call& call : calls) {
    for (const Argument& argument : call.arguments) packed += argument.constant.defined() ? argument.constant.bytes() : 0;
  }
  PreparedKernel kernel;
  kernel.packed_bytes = packed;
  kernel.bind = [calls = std::move(calls)](const Buffers& buffers) -> Step {
    auto bound = std::make_shared<std::vector<BoundCall>>();
    for (const Call& call : calls) bound->push_back(bind(call, buffers));
    return [bound] {
      for (const BoundCall& call : *bound) call.run();
    };
  };
  return kernel;
}

Tensor pack_constant(PackCache& packs, const Tensor& constant, const Desc& given, Desc wanted) {
  if (given == wanted) return constant;
  return packs.get(constant, wanted.get_blob(), [&] {
    Tensor packed(DType::u8, {static_cast<std::int64_t>(wanted.get_size())});
    const dnnl::memory from(given, engine(), const_cast<std::byte*>(constant.data()));
    const dnnl::memory to(wanted, engine(), packed.data());
    const dnnl::reorder reorder(from, to);
    dnnl::stream once(engine());
    reorder.execute(once, const_cast<dnnl::memory&>(from), const_cast<dnnl::memory&>(to));
    once.wait();
    return packed;
  });
}

Argument weight_argument(int id, PackCache& packs, const Tensor& constant, std::size_t input, const Desc& given, const Desc& wanted) {
  if (!constant.defined()) return {id, given, Argument::Source::input, input, {}};
  return {id, wanted, Argument::Source::constant, 0, pack_constant(packs, constant, given, wanted)};
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

Offer reorder_offer(const CallSite& site, const Desc& to) {
  const Desc from = desc_of(site.offered[0], site.inputs[0]);
  const dnnl::reorder::primitive_desc description(engine(), from, engine(), to, user_scratchpad());
  Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
  offer.detail = description.impl_info_str();
  offer.inputs[0] = site.offered[0];
  offer.prepare = [=] {
    return prepared({{dnnl::reorder(description),
                      {{DNNL_ARG_FROM, from, Argument::Source::input, 0},
                       {DNNL_ARG_TO, to, Argument::Source::output, 0},
                       {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}}}});
  };
  return offer;
}

}  // namespace edgelab::kernels::onednn
