// What a transformer is made of: products on rows of tokens, normalisation, attention.
#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/attention/problem.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/device_constant.hpp"
#include "kernels/cuda/offers.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::kernels::cuda {
namespace {

// Of all queries or some; `settings` are of all.
Offer attention_offer(const DeviceSite& device, const Attention& settings, const AttentionProblem& problem) {
  if (settings.algorithm == Attention::Algorithm::naive) return Offer::refuse("FlashAttention alone");
  if (problem.head_width != 32 && problem.head_width != 64) return Offer::refuse("heads of 32 or 64 alone, not " + std::to_string(problem.head_width));
  if (problem.samples * problem.heads > 65'535) return Offer::refuse("at most 65,535 heads of all samples together");
  AttentionArguments arguments;
  arguments.samples = problem.samples;
  arguments.tokens = problem.tokens;
  arguments.heads = problem.heads;
  arguments.head_width = problem.head_width;
  arguments.first_query = problem.first_query;
  arguments.queries = problem.queries;
  arguments.scale = static_cast<float>(problem.scale);
  arguments.causal = problem.causal;
  arguments.qkv.type = arguments.y.type = element_of(problem.type);
  arguments.multiply = multiply_of(problem.compute, device);
  const bool log_sum_exp = device.site.outputs.size() > 1;
  Offer offer = plain_offer(device.site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      AttentionArguments a = arguments;
      a.qkv.data = buffers.inputs[0];
      a.y.data = buffers.outputs[0];
      a.log_sum_exp = log_sum_exp ? reinterpret_cast<float*>(buffers.outputs[1]) : nullptr;
      return [a] { backend().launch(a); };
    }};
  });
  return by_products(std::move(offer), problem.compute, arguments.multiply);
}

}  // namespace

Offer linear_product(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Linear settings = *site.op.as<Linear>();
  if (!site.constant(1) || (settings.has_bias && !site.constant(2))) return Offer::refuse("weights that change between runs");
  const DType x = site.inputs[0].dtype;
  if (x != DType::f32 && x != DType::bf16) return Offer::refuse("rows in fp32 or bf16 alone");
  if (settings.has_residual && site.inputs[settings.residual_input()].dtype != DType::f32) return Offer::refuse("a residual in fp32 alone");
  ProductArguments arguments;
  arguments.n = site.inputs[1].shape[0];
  arguments.k = site.inputs[1].shape[1];
  arguments.m = site.inputs[0].elements() / arguments.k;
  arguments.activation = settings.activation;
  arguments.multiply = multiply_of(settings.compute, device);
  arguments.x.type = element_of(x);
  arguments.y.type = element_of(settings.output);
  Offer offer = plain_offer(site, [settings, arguments, constants = Constants(site)] {
    const Tensor weight = constants.product(1, arguments.multiply), bias = settings.has_bias ? constants.device(2) : Tensor();
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
                            ProductArguments a = arguments;
                            a.x.data = buffers.inputs[0];
                            a.w = weight.data();
                            a.bias = settings.has_bias ? floats(bias.data()) : nullptr;
                            a.residual = settings.has_residual ? floats(buffers.inputs[settings.residual_input()]) : nullptr;
                            a.y.data = buffers.outputs[0];
                            return [a, weight, bias] { backend().launch(a); };
                          },
                          weight.bytes()};
  });
  return by_products(std::move(offer), settings.compute, arguments.multiply);
}

Offer layer_norm_rows(const DeviceSite& device) {
  const CallSite& site = device.site;
  const LayerNorm settings = *site.op.as<LayerNorm>();
  if (const auto why = changing(site, 1)) return Offer::refuse(*why);
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("rows in fp32 alone");
  LayerNormArguments arguments;
  arguments.width = site.inputs[0].shape.back();
  arguments.rows = site.inputs[0].elements() / arguments.width;
  arguments.epsilon = static_cast<float>(settings.epsilon);
  arguments.y.type = element_of(site.outputs[0].dtype);
  return plain_offer(site, [arguments, constants = Constants(site)] {
    const Tensor weight = constants.device(1), bias = constants.device(2);
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      LayerNormArguments a = arguments;
      a.x = floats(buffers.inputs[0]);
      a.weight = floats(weight.data());
      a.bias = floats(bias.data());
      a.y.data = buffers.outputs[0];
      return [a, weight, bias] { backend().launch(a); };
    }};
  });
}

Offer attention_tiles(const DeviceSite& device) {
  const Attention settings = *device.site.op.as<Attention>();
  if (settings.has_bias) return Offer::refuse("scores without a bias alone");
  return attention_offer(device, settings, attention_problem(settings, device.site.inputs));
}

Offer attention_rows_tiles(const DeviceSite& device) {
  const AttentionRows settings = *device.site.op.as<AttentionRows>();
  return attention_offer(device, settings.attention, attention_problem(settings, device.site.inputs));
}

}  // namespace edgelab::kernels::cuda
