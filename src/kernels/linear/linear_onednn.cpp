#include "kernels/linear/linear.hpp"
#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {
namespace {

using onednn::Argument;
using onednn::Desc;
using onednn::Tag;

// The product in oneDNN's terms: [M, K] · [K, N], all rows of all samples in one.
struct Shapes {
  Desc src, weight_given, weight_wanted, bias, dst;
};

Shapes shapes_of(const CallSite& site, bool has_bias) {
  const std::int64_t k = site.inputs[1].shape[1], n = site.inputs[1].shape[0], m = site.inputs[0].elements() / k;
  const auto type = onednn::type_of(site.inputs[0].dtype);
  Shapes shapes;
  shapes.src = Desc({m, k}, type, Tag::ab);
  shapes.weight_given = Desc({k, n}, type, Tag::ba);  // stored [O, K]
  shapes.weight_wanted = site.constant(1) ? Desc({k, n}, type, Tag::any) : shapes.weight_given;
  shapes.bias = has_bias ? Desc({1, n}, type, Tag::ab) : Desc();
  shapes.dst = Desc({m, n}, type, Tag::ab);
  return shapes;
}

dnnl::matmul::primitive_desc describe(const Shapes& shapes, const Linear& settings) {
  dnnl::primitive_attr attributes = onednn::user_scratchpad();
  dnnl::post_ops ops;
  onednn::append_activation(ops, settings.activation);
  if (settings.has_residual) ops.append_binary(dnnl::algorithm::binary_add, shapes.dst);
  attributes.set_post_ops(ops);
  if (!settings.has_bias) return {onednn::engine(), shapes.src, shapes.weight_wanted, shapes.dst, attributes};
  return {onednn::engine(), shapes.src, shapes.weight_wanted, shapes.bias, shapes.dst, attributes};
}

}  // namespace

Offer linear_onednn(const CallSite& site) {
  const Linear settings = *site.op.as<Linear>();
  if (site.inputs[0].dtype != DType::f32 || settings.output != DType::f32) return Offer::refuse("only fp32 in and out");
  return onednn::offer_or_refuse([&] {
    const Shapes shapes = shapes_of(site, settings.has_bias);
    const auto description = describe(shapes, settings);
    Offer offer = plain_offer(site, {}, description.scratchpad_desc().get_size());
    offer.detail = description.impl_info_str();
    const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
    offer.prepare = [=, packs = site.packs] {
      std::vector<Argument> arguments = {{DNNL_ARG_SRC, shapes.src, Argument::Source::input, 0},
                                         {DNNL_ARG_DST, shapes.dst, Argument::Source::output, 0},
                                         {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), Argument::Source::scratch, 0}};
      arguments.push_back(onednn::weight_argument(DNNL_ARG_WEIGHTS, *packs, constants[1], 1, shapes.weight_given, description.weights_desc()));
      if (settings.has_bias) arguments.push_back(onednn::weight_argument(DNNL_ARG_BIAS, *packs, constants[2], 2, shapes.bias, shapes.bias));
      if (settings.has_residual) {
        const int position = settings.activation == ActivationKind::none ? 0 : 1;
        arguments.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1, shapes.dst, Argument::Source::input, settings.residual_input()});
      }
      return onednn::prepared({{dnnl::matmul(description), arguments}});
    };
    return offer;
  });
}

}  // namespace edgelab::kernels
