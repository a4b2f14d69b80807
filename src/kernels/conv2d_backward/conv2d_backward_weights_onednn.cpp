#include "kernels/conv2d/onednn_convolution.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"

namespace edgelab::kernels {
namespace {

using onednn::Argument;
using onednn::Desc;
using Gradient = dnnl::convolution_backward_weights;

Gradient::primitive_desc describe(const CallSite& site, const Conv2d& conv) {
  const onednn::Geometry g(conv);
  const Desc weight = onednn::weight_desc(site.outputs[0], conv.groups, false);
  const Desc bias = conv.has_bias ? onednn::plain_desc(site.outputs[1]) : Desc();
  const auto direct = dnnl::algorithm::convolution_direct;
  return onednn::first_fast(onednn::images_in_training(site.inputs[0], site.inputs[1]), [&](const onednn::ImageDescs& images) -> Gradient::primitive_desc {
    const dnnl::convolution_forward::primitive_desc forward(onednn::engine(), dnnl::prop_kind::forward_training, direct, images.x, weight, bias, images.y,
                                                            g.strides, g.dilation, g.padding, g.padding);
    return {onednn::engine(), direct, images.x, weight, bias, images.y, g.strides, g.dilation, g.padding, g.padding, forward, onednn::user_scratchpad()};
  });
}

}  // namespace

Offer conv2d_backward_weights_onednn(const CallSite& site) {
  if (site.constant(0) || site.constant(1)) return Offer::refuse("operands that are constant");
  const Conv2d conv = site.op.as<Conv2dBackwardWeights>()->forward();
  return onednn::offer_or_refuse([&] {
    const auto description = describe(site, conv);
    onednn::Scratch scratch;
    const std::size_t scratchpad = scratch.take(description.scratchpad_desc().get_size());
    const onednn::WeightInStep weight(DNNL_ARG_DIFF_WEIGHTS, onednn::weight_desc(site.outputs[0], conv.groups, true), description.diff_weights_desc(),
                                      Argument::Source::output, 0, scratch);
    Offer offer = plain_offer(site, {}, scratch.bytes());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = onednn::layout_of(description.src_desc(), site.inputs[0]);
    offer.inputs[1] = onednn::layout_of(description.diff_dst_desc(), site.inputs[1]);
    const Desc bias = conv.has_bias ? onednn::plain_desc(site.outputs[1]) : Desc();
    offer.prepare = [=] {
      std::vector<Argument> arguments = {{DNNL_ARG_SRC, description.src_desc(), Argument::Source::input, 0, {}},
                                         {DNNL_ARG_DIFF_DST, description.diff_dst_desc(), Argument::Source::input, 1, {}},
                                         weight.argument(),
                                         {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, scratchpad, {}}};
      if (conv.has_bias) arguments.push_back({DNNL_ARG_DIFF_BIAS, bias, Argument::Source::output, 1, {}});
      std::vector<onednn::Call> calls = {{Gradient(description), arguments}};
      weight.add_to(calls);
      return onednn::prepared(std::move(calls));
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
