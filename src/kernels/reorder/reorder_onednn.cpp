#include "kernels/onednn/onednn.hpp"
#include "kernels/reorder/reorder.hpp"

namespace edgelab::kernels {

Offer reorder_onednn(const CallSite& site) {
  const Layout target = site.op.as<Reorder>()->target;
  return onednn::offer_or_refuse([&] {
    const onednn::Desc from = onednn::desc_of(site.offered[0], site.inputs[0]);
    const onednn::Desc to = onednn::desc_of(target, site.inputs[0]);
    const dnnl::reorder::primitive_desc description(onednn::engine(), from, onednn::engine(), to, onednn::user_scratchpad());
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = site.offered[0];
    offer.outputs[0] = target;
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
