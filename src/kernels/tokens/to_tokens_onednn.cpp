#include "kernels/onednn/onednn.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels {

// A reorder from whatever layout the convolution wrote to [N, H, W, D], which is the row of tokens.
Offer to_tokens_onednn(const CallSite& site) {
  return onednn::offer_or_refuse([&] {
    return onednn::reorder_offer(site, onednn::desc_of(Layout::channels_last(site.inputs[0]), site.inputs[0]));
  });
}

}  // namespace edgelab::kernels
