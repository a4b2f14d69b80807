// Fused layers of a transformer, each by several launches with what lies between them in scratch memory.
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/device_constant.hpp"
#include "kernels/cuda/offers.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/patch_embed/patch_embed.hpp"

namespace edgelab::kernels::cuda {
namespace {

// Rows between two kernels of one layer, in scratch memory: what the product behind them would round is stored rounded.
Element between(Multiply multiply) { return multiply == Multiply::bf16 ? Element::bf16 : Element::f32; }
std::size_t bytes_between(Multiply multiply, std::int64_t elements) { return static_cast<std::size_t>(elements) * (multiply == Multiply::bf16 ? 2 : 4); }

LayerNormArguments norm_arguments(std::int64_t rows, std::int64_t width, double epsilon, Multiply multiply) {
  LayerNormArguments norm;
  norm.rows = rows;
  norm.width = width;
  norm.epsilon = static_cast<float>(epsilon);
  norm.y.type = between(multiply);
  return norm;
}

ProductArguments product_arguments(std::int64_t m, std::int64_t n, std::int64_t k, ActivationKind activation, Multiply multiply) {
  ProductArguments product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.activation = activation;
  product.multiply = multiply;
  product.x.type = between(multiply);
  return product;
}

LayerNormArguments placed(LayerNormArguments norm, const Buffers& buffers, const Tensor& weight, const Tensor& bias) {
  norm.x = floats(buffers.inputs[0]);
  norm.weight = floats(weight.data());
  norm.bias = floats(bias.data());
  norm.y.data = buffers.scratch;
  return norm;
}

}  // namespace

// Patches become rows in scratch memory; their product's residual is what the table holds for each token; the prefix tokens are rows of
// the table as they are.
Offer patch_embed_product(const DeviceSite& device) {
  const CallSite& site = device.site;
  const PatchEmbed settings = *site.op.as<PatchEmbed>();
  if (const auto why = changing(site, 1)) return Offer::refuse(*why);
  const Shape& x = site.inputs[0].shape;
  const Shape& y = site.outputs[0].shape;
  const std::int64_t prefix = settings.prefix_tokens(site.inputs), tokens = y[1], width = y[2], patches = tokens - prefix;
  const Multiply multiply = multiply_of(settings.compute, device);

  PatchRowsArguments cut;
  cut.samples = x[0];
  cut.channels = x[1];
  cut.height = x[2];
  cut.width = x[3];
  cut.patch = site.inputs[1].shape[2];
  cut.y.type = between(multiply);
  ProductArguments product = product_arguments(x[0] * patches, width, site.inputs[1].elements() / width, ActivationKind::none, multiply);
  product.y_rows = {patches, tokens, prefix};
  product.residual_rows = {patches, 0, prefix};
  RowCopyArguments copy;
  copy.outer = x[0];
  copy.inner = prefix * width;
  copy.y_stride = tokens * width;
  Offer offer = plain_offer(
      site,
      [=, constants = Constants(site)] {
        std::vector<Tensor> all(1);
        for (std::size_t input = 1; input < settings.position_input() + (settings.positions == PatchEmbed::Positions::none ? 0 : 1); ++input) {
          all.push_back(constants.host(input));
        }
        const Tensor table = uploaded(patch_embed_table(settings, all, tokens, width)), weight = constants.product(1, multiply);
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                PatchRowsArguments c = cut;
                                c.x = floats(buffers.inputs[0]);
                                c.y.data = buffers.scratch;
                                ProductArguments p = product;
                                p.x.data = buffers.scratch;
                                p.w = weight.data();
                                p.residual = floats(table.data());
                                p.y = {buffers.outputs[0], Element::f32};
                                RowCopyArguments r = copy;
                                r.x = table.data();
                                r.y = buffers.outputs[0];
                                return [c, p, r, table, weight] {
                                  backend().launch(c);
                                  backend().launch(p);
                                  if (r.inner > 0) backend().launch(r);
                                };
                              },
                              weight.bytes() + table.bytes()};
      },
      bytes_between(multiply, product.m * product.k));
  return by_products(std::move(offer), settings.compute, multiply);
}

// Two launches, with the normalised rows in scratch memory.
Offer layer_norm_linear_product(const DeviceSite& device) {
  const CallSite& site = device.site;
  const LayerNormLinear settings = *site.op.as<LayerNormLinear>();
  if (const auto why = changing(site, 1)) return Offer::refuse(*why);
  const std::int64_t width = site.inputs[0].shape.back(), rows = site.inputs[0].elements() / width;
  const Multiply multiply = multiply_of(settings.compute, device);
  const LayerNormArguments norm = norm_arguments(rows, width, settings.epsilon, multiply);
  ProductArguments product = product_arguments(rows, site.outputs[0].shape.back(), width, settings.activation, multiply);
  product.y.type = element_of(site.outputs[0].dtype);
  Offer offer = plain_offer(
      site,
      [=, constants = Constants(site)] {
        const Tensor norm_weight = constants.device(1), norm_bias = constants.device(2), weight = constants.product(3, multiply),
                     bias = settings.has_bias ? constants.device(4) : Tensor();
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const LayerNormArguments n = placed(norm, buffers, norm_weight, norm_bias);
                                ProductArguments p = product;
                                p.x.data = buffers.scratch;
                                p.w = weight.data();
                                p.bias = settings.has_bias ? floats(bias.data()) : nullptr;
                                p.y.data = buffers.outputs[0];
                                return [n, p, norm_weight, norm_bias, weight, bias] {
                                  backend().launch(n);
                                  backend().launch(p);
                                };
                              },
                              weight.bytes()};
      },
      bytes_between(multiply, rows * width));
  return by_products(std::move(offer), settings.compute, multiply);
}

// Three launches, with the normalised rows and the hidden ones in scratch memory; the last product adds x.
Offer mlp_products(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Mlp settings = *site.op.as<Mlp>();
  if (const auto why = changing(site, Mlp::kNormWeight)) return Offer::refuse(*why);
  const std::int64_t width = site.inputs[0].shape.back(), hidden = site.inputs[Mlp::kUp].shape[0], rows = site.inputs[0].elements() / width;
  const Multiply multiply = multiply_of(settings.compute, device);
  const LayerNormArguments norm = norm_arguments(rows, width, settings.epsilon, multiply);
  ProductArguments up = product_arguments(rows, hidden, width, settings.activation, multiply);
  up.y.type = between(multiply);
  const ProductArguments down = product_arguments(rows, width, hidden, ActivationKind::none, multiply);
  const std::size_t normal_bytes = (bytes_between(multiply, rows * width) + kAlignment - 1) / kAlignment * kAlignment;
  Offer offer = plain_offer(
      site,
      [=, constants = Constants(site)] {
        const Tensor norm_weight = constants.device(Mlp::kNormWeight), norm_bias = constants.device(Mlp::kNormBias),
                     up_weight = constants.product(Mlp::kUp, multiply), up_bias = constants.device(Mlp::kUpBias),
                     down_weight = constants.product(Mlp::kDown, multiply), down_bias = constants.device(Mlp::kDownBias);
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const LayerNormArguments n = placed(norm, buffers, norm_weight, norm_bias);
                                ProductArguments first = up;
                                first.x.data = buffers.scratch;
                                first.w = up_weight.data();
                                first.bias = floats(up_bias.data());
                                first.y.data = buffers.scratch + normal_bytes;
                                ProductArguments second = down;
                                second.x.data = first.y.data;
                                second.w = down_weight.data();
                                second.bias = floats(down_bias.data());
                                second.residual = floats(buffers.inputs[0]);
                                second.y = {buffers.outputs[0], Element::f32};
                                return [n, first, second, norm_weight, norm_bias, up_weight, up_bias, down_weight, down_bias] {
                                  backend().launch(n);
                                  backend().launch(first);
                                  backend().launch(second);
                                };
                              },
                              up_weight.bytes() + down_weight.bytes()};
      },
      normal_bytes + bytes_between(multiply, rows * hidden));
  return by_products(std::move(offer), settings.compute, multiply);
}

}  // namespace edgelab::kernels::cuda
