#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/tile_linear.hpp"

namespace edgelab::kernels {

Offer layer_norm_linear_tile(const CallSite& site) {
  const LayerNormLinear settings = *site.op.as<LayerNormLinear>();
  if (!site.constant(3)) return Offer::refuse("the weight is not known when the plan is made");
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("only fp32 in");
  TileLinearSettings product;
  product.compute = settings.compute;
  product.y = settings.output;
  product.norm_epsilon = static_cast<float>(settings.epsilon);
  product.bias = settings.has_bias;
  product.activation = settings.activation;
  TileLinearInputs inputs;
  inputs.gain = 1;
  inputs.shift = 2;
  inputs.weight = 3;
  if (settings.has_bias) inputs.bias = 4;
  return tile_linear_offer(site, product, inputs);
}

}  // namespace edgelab::kernels
