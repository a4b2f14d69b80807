#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {

Offer layer_norm_onednn(const CallSite& site) {
  const auto epsilon = static_cast<float>(site.op.as<LayerNorm>()->epsilon);
  if (site.outputs[0].dtype != DType::f32) return Offer::refuse("only fp32 out");
  return onednn::offer_or_refuse([&] {
    using Flags = dnnl::normalization_flags;
    const onednn::Desc desc = onednn::plain_desc(site.inputs[0]);
    const dnnl::layer_normalization_forward::primitive_desc description(onednn::engine(), dnnl::prop_kind::forward_inference, desc, desc,
                                                                        epsilon, Flags::use_scale | Flags::use_shift,
                                                                        onednn::user_scratchpad());
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    const onednn::Desc row = onednn::plain_desc(site.inputs[1]);
    const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
    offer.prepare = [=, packs = site.packs] {
      using onednn::Argument;
      return onednn::prepared({{dnnl::layer_normalization_forward(description),
                                {{DNNL_ARG_SRC, desc, Argument::Source::input, 0},
                                 onednn::weight_argument(DNNL_ARG_SCALE, *packs, constants[1], 1, row, row),
                                 onednn::weight_argument(DNNL_ARG_SHIFT, *packs, constants[2], 2, row, row),
                                 {DNNL_ARG_DST, desc, Argument::Source::output, 0},
                                 {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}}}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
