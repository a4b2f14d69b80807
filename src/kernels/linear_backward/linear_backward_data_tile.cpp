#include "kernels/linear/tile_linear.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"

namespace edgelab::kernels {

Offer linear_backward_data_tile(const CallSite& site) {
  const LinearBackwardData settings = *site.op.as<LinearBackwardData>();
  TileLinearSettings product;
  product.compute = settings.compute;
  product.slope = settings.activation;
  product.weight_turned = false;
  TileLinearInputs inputs;
  inputs.weight = 1;
  if (settings.activation != ActivationKind::none) inputs.slope = 2;
  return tile_linear_offer(site, product, inputs);
}

}  // namespace edgelab::kernels
