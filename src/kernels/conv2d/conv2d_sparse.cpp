#include "kernels/conv2d/conv2d.hpp"
#include "kernels/sparse/product_offer.hpp"

namespace edgelab::kernels {

Offer conv2d_sparse(const CallSite& site) {
  const Conv2d conv = *site.op.as<Conv2d>();
  if (!is_pointwise(conv, site.inputs[1].shape)) return Offer::refuse("1×1 alone");
  if (conv.compute != DType::f32 || site.inputs[0].dtype != DType::f32) return Offer::refuse("fp32 alone");
  const Shape& y = site.outputs[0].shape;
  sparse::ProductInputs inputs;
  if (conv.has_bias) inputs.bias = 2;
  if (conv.has_residual) inputs.residual = conv.residual_input();
  Offer offer = sparse::product_offer(site, {y[0] * y[2] * y[3], site.inputs[0].shape[1], y[1], conv.activation}, inputs);
  if (offer.refusal) return offer;
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  if (inputs.residual) offer.inputs[*inputs.residual] = Layout::channels_last(site.outputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
