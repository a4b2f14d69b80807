#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {

Offer batch_norm_onednn(const CallSite& site) {
  const auto epsilon = static_cast<float>(site.op.as<BatchNorm>()->epsilon);
  if (site.op.as<BatchNorm>()->activation != ActivationKind::none) return Offer::refuse("an activation");
  return onednn::offer_or_refuse([&] {
    using Flags = dnnl::normalization_flags;
    const onednn::Desc desc = onednn::desc_of(site.offered[0], site.inputs[0]);
    const dnnl::batch_normalization_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, desc, desc, epsilon,
        Flags::use_global_stats | Flags::use_scale | Flags::use_shift, onednn::user_scratchpad());
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = offer.outputs[0] = site.offered[0];
    const onednn::Desc channel = onednn::plain_desc(site.inputs[1]);
    const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
    offer.prepare = [=, packs = site.packs] {
      using onednn::Argument;
      std::vector<Argument> arguments = {{DNNL_ARG_SRC, desc, Argument::Source::input, 0},
                                         {DNNL_ARG_DST, desc, Argument::Source::output, 0},
                                         {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}};
      static constexpr int kIds[] = {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE};
      for (std::size_t i = 0; i < 4; ++i) arguments.push_back(onednn::weight_argument(kIds[i], *packs, constants[i + 1], i + 1, channel, channel));
      return onednn::prepared({{dnnl::batch_normalization_forward(description), arguments}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
