#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {

Offer activation_onednn(const CallSite& site) {
  const ActivationKind kind = site.op.as<Activation>()->kind;
  if (kind == ActivationKind::none) return Offer::refuse("there is nothing to compute");
  if (site.outputs[0].dtype != site.inputs[0].dtype) return Offer::refuse("only one type in and out");
  return onednn::offer_or_refuse([&] {
    const onednn::Desc desc = onednn::desc_of(site.offered[0], site.inputs[0]);
    dnnl::post_ops ops;
    onednn::append_activation(ops, kind);  // one place maps our kinds to oneDNN's
    dnnl::algorithm algorithm;
    float alpha = 0.0f, beta = 0.0f;
    ops.get_params_eltwise(0, algorithm, alpha, beta);
    const dnnl::eltwise_forward::primitive_desc description(onednn::engine(), dnnl::prop_kind::forward_inference, algorithm, desc, desc, alpha,
                                                            beta, onednn::user_scratchpad());
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = offer.outputs[0] = site.offered[0];
    offer.prepare = [=] {
      using onednn::Argument;
      return onednn::prepared({{dnnl::eltwise_forward(description),
                                {{DNNL_ARG_SRC, desc, Argument::Source::input, 0},
                                 {DNNL_ARG_DST, desc, Argument::Source::output, 0},
                                 {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}}}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
