#include "kernels/onednn/onednn.hpp"
#include "kernels/reorder/reorder.hpp"

namespace edgelab::kernels {

Offer reorder_onednn(const CallSite& site) {
  const Layout target = site.op.as<Reorder>()->target;
  return onednn::offer_or_refuse([&] {
    Offer offer = onednn::reorder_offer(site, onednn::desc_of(target, site.inputs[0]));
    offer.outputs[0] = target;
    return offer;
  });
}

}  // namespace edgelab::kernels
