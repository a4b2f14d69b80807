#include "kernels/binary/binary.hpp"
#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {

Offer binary_onednn(const CallSite& site) {
  const auto algorithm = site.op.as<Binary>()->kind == Binary::Kind::add ? dnnl::algorithm::binary_add : dnnl::algorithm::binary_mul;
  const bool same_shape = site.inputs[0].shape == site.inputs[1].shape;
  if (site.constant(0)) return Offer::refuse("the first operand is a constant");
  if (!same_shape && !site.offered[0].is_plain()) return Offer::refuse("a broadcast operand beside one in another layout");
  return onednn::offer_or_refuse([&] {
    const onednn::Desc a = onednn::desc_of(site.offered[0], site.inputs[0]);
    const onednn::Desc b = same_shape ? a
                                      : onednn::plain_desc({site.inputs[1].dtype, aligned_shape(site.inputs[1].shape, site.inputs[0].shape.rank())});
    const onednn::Desc b_given = same_shape ? onednn::plain_desc(site.inputs[1]) : b;
    const dnnl::binary::primitive_desc description(onednn::engine(), algorithm, a, b, a, onednn::user_scratchpad());
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    offer.inputs[0] = offer.outputs[0] = site.offered[0];
    if (same_shape) offer.inputs[1] = site.offered[0];
    const Tensor constant = site.constants[1];
    offer.prepare = [=, packs = site.packs] {
      using onednn::Argument;
      const Argument second = constant.defined() ? onednn::weight_argument(DNNL_ARG_SRC_1, *packs, constant, 1, b_given, b)
                                                 : Argument{DNNL_ARG_SRC_1, b, Argument::Source::input, 1, {}};
      return onednn::prepared({{dnnl::binary(description),
                                {{DNNL_ARG_SRC_0, a, Argument::Source::input, 0},
                                 second,
                                 {DNNL_ARG_DST, a, Argument::Source::output, 0},
                                 {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}}}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
