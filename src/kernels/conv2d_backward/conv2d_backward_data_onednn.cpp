#include "kernels/conv2d/onednn_convolution.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"

namespace edgelab::kernels {
namespace {

using onednn::Argument;
using onednn::Desc;
using Gradient = dnnl::convolution_backward_data;

Gradient::primitive_desc describe(const CallSite& site, const Conv2d& conv) {
  const onednn::Geometry g(conv);
  const Desc weight = onednn::weight_desc(site.inputs[1], conv.groups, false);
  const auto direct = dnnl::algorithm::convolution_direct;
  return onednn::first_fast(onednn::images_in_training(site.outputs[0], site.inputs[0]), [&](const onednn::ImageDescs& images) -> Gradient::primitive_desc {
    const dnnl::convolution_forward::primitive_desc forward(onednn::engine(), dnnl::prop_kind::forward_training, direct, images.x, weight, images.y,
                                                            g.strides, g.dilation, g.padding, g.padding);
    return {onednn::engine(), direct, images.x, weight, images.y, g.strides, g.dilation, g.padding, g.padding, forward, onednn::user_scratchpad()};
  });
}

}  // namespace

Offer conv2d_backward_data_onednn(const CallSite& site) {
  if (site.constant(0) || site.constant(1)) return Offer::refuse("operands that are constant");
  const Conv2d conv = site.op.as<Conv2dBackwardData>()->forward();
  return onednn::offer_or_refuse([&] {
    const auto description = describe(site, conv);
    onednn::Scratch scratch;
    const std::size_t scratchpad = scratch.take(description.scratchpad_desc().get_size());
    const onednn::WeightInStep weight(DNNL_ARG_WEIGHTS, onednn::weight_desc(site.inputs[1], conv.groups, true), description.weights_desc(),
                                      Argument::Source::input, 1, scratch);
    Offer offer = plain_offer(site, {}, scratch.bytes());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = onednn::layout_of(description.diff_dst_desc(), site.inputs[0]);
    offer.outputs[0] = onednn::layout_of(description.diff_src_desc(), site.outputs[0]);
    offer.prepare = [=] {
      std::vector<onednn::Call> calls;
      weight.add_to(calls);
      calls.push_back({Gradient(description),
                       {{DNNL_ARG_DIFF_DST, description.diff_dst_desc(), Argument::Source::input, 0, {}},
                        weight.argument(),
                        {DNNL_ARG_DIFF_SRC, description.diff_src_desc(), Argument::Source::output, 0, {}},
                        {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, scratchpad, {}}}});
      return onednn::prepared(std::move(calls));
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
