#include <optional>

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d/onednn_convolution.hpp"

namespace edgelab::kernels {
namespace {

using onednn::Argument;
using onednn::Desc;
using Convolution = dnnl::convolution_forward;

Convolution::primitive_desc describe(const CallSite& site, const Conv2d& settings, const onednn::ImageDescs& images) {
  dnnl::primitive_attr attributes = onednn::user_scratchpad();
  dnnl::post_ops ops;
  onednn::append_activation(ops, settings.activation);
  // A binary add rather than a `sum`, which would want the residual in the output's own memory.
  if (settings.has_residual) ops.append_binary(dnnl::algorithm::binary_add, images.y);
  attributes.set_post_ops(ops);
  const onednn::Geometry geometry(settings);
  const Desc bias = settings.has_bias ? onednn::plain_desc(site.inputs[2]) : Desc();
  return {onednn::engine(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          images.x,
          onednn::weight_desc(site.inputs[1], settings.groups, false),
          bias,
          images.y,
          geometry.strides,
          geometry.dilation,
          geometry.padding,
          geometry.padding,
          attributes};
}

Convolution::primitive_desc describe(const CallSite& site, const Conv2d& settings) {
  const onednn::ImageDescs any{onednn::any_desc(site.inputs[0]), onednn::any_desc(site.outputs[0])};
  if (site.constant(1)) return describe(site, settings, any);
  return onednn::first_fast(onednn::images_in_training(site.inputs[0], site.outputs[0]),
                            [&](const onednn::ImageDescs& images) { return describe(site, settings, images); });
}

}  // namespace

Offer conv2d_onednn(const CallSite& site) {
  const Conv2d settings = *site.op.as<Conv2d>();
  return onednn::offer_or_refuse([&] {
    const auto description = describe(site, settings);
    const Desc plain_weight = onednn::weight_desc(site.inputs[1], settings.groups, true);
    onednn::Scratch scratch;
    const std::size_t scratchpad = scratch.take(description.scratchpad_desc().get_size());
    std::optional<onednn::WeightInStep> weight;
    if (!site.constant(1)) weight.emplace(DNNL_ARG_WEIGHTS, plain_weight, description.weights_desc(), Argument::Source::input, 1, scratch);
    Offer offer = plain_offer(site, {}, scratch.bytes());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = onednn::layout_of(description.src_desc(), site.inputs[0]);
    offer.outputs[0] = onednn::layout_of(description.dst_desc(), site.outputs[0]);
    if (settings.has_residual) offer.inputs[settings.residual_input()] = offer.outputs[0];
    const Desc plain_bias = settings.has_bias ? onednn::plain_desc(site.inputs[2]) : Desc();
    const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
    offer.prepare = [=, packs = site.packs] {
      std::vector<Argument> arguments = {{DNNL_ARG_SRC, description.src_desc(), Argument::Source::input, 0, {}},
                                         {DNNL_ARG_DST, description.dst_desc(), Argument::Source::output, 0, {}},
                                         {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, scratchpad, {}}};
      std::vector<onednn::Call> calls;
      if (weight) {
        weight->add_to(calls);
        arguments.push_back(weight->argument());
      } else {
        arguments.push_back(onednn::weight_argument(DNNL_ARG_WEIGHTS, *packs, constants[1], 1, plain_weight, description.weights_desc()));
      }
      if (settings.has_bias) {
        arguments.push_back(onednn::weight_argument(DNNL_ARG_BIAS, *packs, constants[2], 2, plain_bias, plain_bias));
      }
      if (settings.has_residual) {
        const int position = settings.activation == ActivationKind::none ? 0 : 1;
        arguments.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1, description.dst_desc(), Argument::Source::input,
                             settings.residual_input(), {}});
      }
      calls.push_back({Convolution(description), arguments});
      return onednn::prepared(std::move(calls));
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
