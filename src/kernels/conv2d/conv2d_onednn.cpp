#include "kernels/conv2d/conv2d.hpp"
#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {
namespace {

using onednn::Argument;
using onednn::Desc;
using onednn::Dims;
using onednn::Tag;
using Convolution = dnnl::convolution_forward;

// oneDNN gives grouped weights an axis of their own: [O, C/g, KH, KW] and [g, O/g, C/g, KH, KW] are the same bytes.
Desc weight_desc(const TensorType& w, int groups, bool plain) {
  Dims dims = onednn::dims_of(w.shape);
  if (groups > 1) dims = {groups, dims[0] / groups, dims[1], dims[2], dims[3]};
  const Tag plain_tag = groups > 1 ? Tag::abcde : Tag::abcd;
  return {dims, onednn::type_of(w.dtype), plain ? plain_tag : Tag::any};
}

Convolution::primitive_desc describe(const CallSite& site, const Conv2d& settings) {
  dnnl::primitive_attr attributes = onednn::user_scratchpad();
  dnnl::post_ops ops;
  onednn::append_activation(ops, settings.activation);
  // A binary add rather than a `sum`, which would want the residual in the output's own memory.
  if (settings.has_residual) ops.append_binary(dnnl::algorithm::binary_add, onednn::any_desc(site.outputs[0]));
  attributes.set_post_ops(ops);
  const Dims strides{settings.stride, settings.stride}, dilation{0, 0}, padding{settings.padding, settings.padding};
  const Desc bias = settings.has_bias ? onednn::plain_desc(site.inputs[2]) : Desc();
  return {onednn::engine(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          onednn::any_desc(site.inputs[0]),
          weight_desc(site.inputs[1], settings.groups, !site.constant(1)),
          bias,
          onednn::any_desc(site.outputs[0]),
          strides,
          dilation,
          padding,
          padding,
          attributes};
}

}  // namespace

Offer conv2d_onednn(const CallSite& site) {
  const Conv2d settings = *site.op.as<Conv2d>();
  return onednn::offer_or_refuse([&] {
    const auto description = describe(site, settings);
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = onednn::layout_of(description.src_desc(), site.inputs[0]);
    offer.outputs[0] = onednn::layout_of(description.dst_desc(), site.outputs[0]);
    if (settings.has_residual) offer.inputs[settings.residual_input()] = offer.outputs[0];
    const Desc plain_weight = weight_desc(site.inputs[1], settings.groups, true);
    const Desc plain_bias = settings.has_bias ? onednn::plain_desc(site.inputs[2]) : Desc();
    const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
    offer.prepare = [=, packs = site.packs] {
      std::vector<Argument> arguments = {{DNNL_ARG_SRC, description.src_desc(), Argument::Source::input, 0},
                                         {DNNL_ARG_DST, description.dst_desc(), Argument::Source::output, 0},
                                         {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}};
      arguments.push_back(onednn::weight_argument(DNNL_ARG_WEIGHTS, *packs, constants[1], 1, plain_weight, description.weights_desc()));
      if (settings.has_bias) {
        arguments.push_back(onednn::weight_argument(DNNL_ARG_BIAS, *packs, constants[2], 2, plain_bias, plain_bias));
      }
      if (settings.has_residual) {
        const int position = settings.activation == ActivationKind::none ? 0 : 1;
        arguments.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1, description.dst_desc(), Argument::Source::input,
                             settings.residual_input()});
      }
      return onednn::prepared({{Convolution(description), arguments}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
