#include "kernels/onednn/onednn.hpp"
#include "kernels/pool/global_average_pool.hpp"

namespace edgelab::kernels {
namespace {

// [N, C, 1, 1] in any layout without padding has one order of its elements only: that of [N, C].
bool is_dense(const onednn::Desc& desc) { return desc.get_padded_dims() == desc.get_dims(); }

}  // namespace

Offer global_average_pool_onednn(const CallSite& site) {
  return onednn::offer_or_refuse([&] {
    const Shape& x = site.inputs[0].shape;
    const onednn::Desc src = onednn::desc_of(site.offered[0], site.inputs[0]);
    const onednn::Desc any({x[0], x[1], 1, 1}, onednn::type_of(site.inputs[0].dtype), onednn::Tag::any);
    const onednn::Dims window{x[2], x[3]}, none{0, 0}, stride{1, 1};
    const dnnl::pooling_forward::primitive_desc description(onednn::engine(), dnnl::prop_kind::forward_inference,
                                                            dnnl::algorithm::pooling_avg_exclude_padding, src, any, stride, window, none, none,
                                                            none, onednn::user_scratchpad());
    if (!is_dense(description.dst_desc())) return Offer::refuse("oneDNN would pad the channels");
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = site.offered[0];
    offer.prepare = [=] {
      using onednn::Argument;
      return onednn::prepared({{dnnl::pooling_forward(description),
                                {{DNNL_ARG_SRC, src, Argument::Source::input, 0},
                                 {DNNL_ARG_DST, description.dst_desc(), Argument::Source::output, 0},
                                 {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}}}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
