#include "kernels/onednn/onednn.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels {

// A reorder from whatever layout the convolution wrote to [N, H, W, D], which is the row of tokens.
Offer to_tokens_onednn(const CallSite& site) {
  return onednn::offer_or_refuse([&] {
    const onednn::Desc from = onednn::desc_of(site.offered[0], site.inputs[0]);
    const onednn::Desc to(onednn::dims_of(site.inputs[0].shape), onednn::type_of(site.inputs[0].dtype), onednn::Tag::nhwc);
    const dnnl::reorder::primitive_desc description(onednn::engine(), from, onednn::engine(), to, onednn::user_scratchpad());
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = site.offered[0];
    offer.prepare = [=] {
      using onednn::Argument;
      return onednn::prepared({{dnnl::reorder(description),
                                {{DNNL_ARG_FROM, from, Argument::Source::input, 0},
                                 {DNNL_ARG_TO, to, Argument::Source::output, 0},
                                 {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}}}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
