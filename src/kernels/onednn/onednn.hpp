#pragma once

// What the oneDNN implementations of all ops share. Only *_onednn.cpp files include this: dnnl.hpp is heavy.

#include <oneapi/dnnl/dnnl.hpp>

#include <span>
#include <vector>

#include "kernels/activation/activation.hpp"
#include "kernels/implementation.hpp"
#include "kernels/pack_cache.hpp"

namespace edgelab::kernels::onednn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;

const dnnl::engine& engine();

dnnl::memory::data_type type_of(DType dtype);
Dims dims_of(const Shape& shape);

Desc plain_desc(const TensorType& type);
Desc any_desc(const TensorType& type);
Desc desc_of(const Layout& layout, const TensorType& type);
// The layout that a descriptor of the logical shape `type.shape` means; equal descriptors give equal layouts.
Layout layout_of(Desc desc, const TensorType& type);

// Whether the activation could be appended; dnnl has no other way to say no than to fail later, at creation.
void append_activation(dnnl::post_ops& ops, ActivationKind kind);

// Where an argument of a primitive comes from.
struct Argument {
  enum class Source { input, output, constant, scratch };
  int id = 0;  // DNNL_ARG_…
  Desc desc;
  Source source{};
  std::size_t index = 0;       // of the input or output; byte offset into the scratch
  Tensor constant = {};
};

// A primitive to run with its arguments; a kernel is a row of them.
struct Call {
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
};

// Binds and runs calls one after another, without allocating on our side. (oneDNN itself keeps a small map an execution.)
PreparedKernel prepared(std::vector<Call> calls);

// The constant input `index` in the layout `wanted`, out of the cache; the bytes themselves if they lie so already.
// `given` describes the constant's own bytes, in the primitive's view of its shape.
Tensor pack_constant(PackCache& packs, const Tensor& constant, const Desc& given, Desc wanted);

// An input argument that is packed now if it is constant, else read at run time as described by `given`.
Argument weight_argument(int id, PackCache& packs, const Tensor& constant, std::size_t input, const Desc& given, const Desc& wanted);

dnnl::primitive_attr user_scratchpad();

// One reorder of input 0, from the layout in which it is offered to `to`, into output 0, whose layout stays plain unless the
// caller says otherwise. Throws dnnl::error if there is no such reorder.
Offer reorder_offer(const CallSite& site, const Desc& to);

// Runs `describe`, which creates primitive descriptors, and turns oneDNN's exception into a refusal.
template <class Describe> Offer offer_or_refuse(const Describe& describe) {
  try {
    return describe();
  } catch (const dnnl::error& error) {
    return Offer::refuse(error.what());
  }
}

}  // namespace edgelab::kernels::onednn
