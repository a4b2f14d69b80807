#include "kernels/linear/linear.hpp"
#include "kernels/sparse/product_offer.hpp"

namespace edgelab::kernels {

Offer linear_sparse(const CallSite& site) {
  const Linear settings = *site.op.as<Linear>();
  if (settings.compute != DType::f32 || settings.output != DType::f32 || site.inputs[0].dtype != DType::f32) return Offer::refuse("fp32 alone");
  const Shape& weight = site.inputs[1].shape;
  sparse::ProductInputs inputs;
  if (settings.has_bias) inputs.bias = 2;
  if (settings.has_residual) inputs.residual = settings.residual_input();
  return sparse::product_offer(site, {site.inputs[0].elements() / weight[1], weight[1], weight[0], settings.activation}, inputs);
}

}  // namespace edgelab::kernels
