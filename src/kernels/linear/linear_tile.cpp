#include "kernels/linear/linear.hpp"
#include "kernels/linear/tile_linear.hpp"

namespace edgelab::kernels {

Offer linear_tile(const CallSite& site) {
  const Linear settings = *site.op.as<Linear>();
  if (settings.activation != ActivationKind::none && settings.has_residual) return Offer::refuse("an activation before the residual");
  if (site.inputs[0].dtype != DType::f32 && site.inputs[0].dtype != settings.compute) return Offer::refuse("takes bf16 only where it computes in it");
  TileLinearSettings product;
  product.x = site.inputs[0].dtype;
  product.compute = settings.compute;
  product.y = settings.output;
  product.bias = settings.has_bias;
  product.residual = settings.has_residual;
  product.activation = settings.activation;
  TileLinearInputs inputs;
  inputs.weight = 1;
  if (settings.has_bias) inputs.bias = 2;
  if (settings.has_residual) inputs.residual = settings.residual_input();
  return tile_linear_offer(site, product, inputs);
}

}  // namespace edgelab::kernels
