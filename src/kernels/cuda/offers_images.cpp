// Convolutions and what else works on images, channels last.
#include <cmath>

#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/device_constant.hpp"
#include "kernels/cuda/offers.hpp"

namespace edgelab::kernels::cuda {
namespace {

// Refused, or everything channels last and the rest to be filled in.
Offer image_offer(const CallSite& site, const Conv2d& conv) {
  const std::size_t known = conv.has_bias ? 3 : 2;
  for (std::size_t input = 1; input < known; ++input) {
    if (!site.constant(input)) return Offer::refuse("weights that change between runs");
  }
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images in fp32 alone");
  Offer offer = plain_offer(site, {});
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  if (conv.has_residual) offer.inputs[conv.residual_input()] = Layout::channels_last(site.outputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

// The constants of a convolution in device memory; binding one sets the pointers of any arguments that have these names.
struct DeviceWeights {
  Tensor weight, bias;

  template <class Arguments> void point(Arguments& arguments, const Conv2d& conv, const Buffers& buffers) const {
    arguments.bias = conv.has_bias ? floats(bias.data()) : nullptr;
    arguments.residual = conv.has_residual ? floats(buffers.inputs[conv.residual_input()]) : nullptr;
  }
};

template <class Arguments> Arguments image_arguments(const CallSite& site, const Conv2d& conv) {
  const Shape& x = site.inputs[0].shape;
  const Shape& y = site.outputs[0].shape;
  Arguments a;
  a.samples = x[0];
  a.channels = x[1];
  a.height = x[2];
  a.width = x[3];
  a.out_height = y[2];
  a.out_width = y[3];
  a.stride = conv.stride;
  a.padding = conv.padding;
  a.activation = conv.activation;
  return a;
}

// The weight with its outputs last, and a step that launches the arguments on it.
template <class Arguments> std::function<PreparedKernel()> prepared(const CallSite& site, const Conv2d& conv, const Arguments& arguments) {
  return [conv, arguments, constants = Constants(site)] {
    const DeviceWeights weights{constants.device(1, "outputs last", outputs_last), conv.has_bias ? constants.device(2) : Tensor()};
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
                            Arguments a = arguments;
                            weights.point(a, conv, buffers);
                            a.x = floats(buffers.inputs[0]);
                            a.w = floats(weights.weight.data());
                            a.y = reinterpret_cast<float*>(buffers.outputs[0]);
                            return [a, weights] { backend().launch(a); };
                          },
                          weights.weight.bytes()};
  };
}

}  // namespace

Offer conv2d_product(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Conv2d conv = *site.op.as<Conv2d>();
  if (!is_pointwise(conv, site.inputs[1].shape)) return Offer::refuse("1×1 alone");
  Offer offer = image_offer(site, conv);
  if (offer.refusal) return offer;
  const Shape& y = site.outputs[0].shape;
  ProductArguments arguments;
  arguments.m = y[0] * y[2] * y[3];
  arguments.n = y[1];
  arguments.k = site.inputs[0].shape[1];
  arguments.activation = conv.activation;
  arguments.multiply = multiply_of(conv.compute, device);
  offer = by_products(std::move(offer), conv.compute, arguments.multiply);
  offer.prepare = [conv, arguments, constants = Constants(site)] {
    const DeviceWeights weights{constants.product(1, arguments.multiply), conv.has_bias ? constants.device(2) : Tensor()};
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
                            ProductArguments a = arguments;
                            weights.point(a, conv, buffers);
                            a.x = {buffers.inputs[0], Element::f32};
                            a.w = weights.weight.data();
                            a.y = {buffers.outputs[0], Element::f32};
                            return [a, weights] { backend().launch(a); };
                          },
                          weights.weight.bytes()};
  };
  return offer;
}

Offer conv2d_depthwise(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Conv2d conv = *site.op.as<Conv2d>();
  const Shape& w = site.inputs[1].shape;
  if (conv.groups != w[0] || w[1] != 1 || w[2] != w[3]) return Offer::refuse("depthwise with a square kernel alone");
  Offer offer = image_offer(site, conv);
  if (offer.refusal) return offer;
  auto arguments = image_arguments<DepthwiseArguments>(site, conv);
  arguments.kernel = static_cast<int>(w[2]);
  offer.detail = "fp32";
  offer.prepare = prepared(site, conv, arguments);
  return offer;
}

Offer conv2d_direct(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Conv2d conv = *site.op.as<Conv2d>();
  Offer offer = image_offer(site, conv);
  if (offer.refusal) return offer;
  const Shape& w = site.inputs[1].shape;
  auto arguments = image_arguments<DirectConvolutionArguments>(site, conv);
  arguments.outputs = w[0];
  arguments.kernel_height = w[2];
  arguments.kernel_width = w[3];
  arguments.groups = conv.groups;
  arguments.planes = site.offered[0].is_plain();  // as an image comes
  if (arguments.planes) offer.inputs[0] = Layout::plain(site.inputs[0]);
  offer.detail = "fp32";
  offer.prepare = prepared(site, conv, arguments);
  return offer;
}

Offer batch_norm_elements(const DeviceSite& device) {
  const CallSite& site = device.site;
  const BatchNorm settings = *site.op.as<BatchNorm>();
  if (const auto why = changing(site, 1)) return Offer::refuse(*why);
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images in fp32 alone");
  const Shape& x = site.inputs[0].shape;
  Offer offer = plain_offer(site, {});
  const bool last = site.offered[0].kind() == Layout::Kind::channels_last;
  if (last) offer.inputs[0] = offer.outputs[0] = site.offered[0];
  ElementwiseArguments arguments;
  arguments.elements = x.elements();
  arguments.b_elements = x[1];
  arguments.b_step = last ? 1 : x[2] * x[3];
  arguments.multiply = true;
  arguments.activation = settings.activation;
  offer.prepare = [settings, arguments, constants = Constants(site)] {
    Tensor scale(DType::f32, constants.host(1).shape()), shift(DType::f32, constants.host(1).shape());
    for (std::size_t c = 0; c < scale.as<float>().size(); ++c) {
      const auto at = [&](std::size_t input) { return static_cast<double>(constants.host(input).as<float>()[c]); };
      const double factor = at(1) / std::sqrt(at(4) + settings.epsilon);
      scale.as<float>()[c] = static_cast<float>(factor);
      shift.as<float>()[c] = static_cast<float>(at(2) - at(3) * factor);
    }
    const Tensor factors = uploaded(scale), shifts = uploaded(shift);
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      ElementwiseArguments a = arguments;
      a.a = {buffers.inputs[0], Element::f32};
      a.b = floats(factors.data());
      a.c = floats(shifts.data());
      a.y = {buffers.outputs[0], Element::f32};
      return [a, factors, shifts] { backend().launch(a); };
    }};
  };
  return offer;
}

Offer average_pool_elements(const DeviceSite& device) {
  const CallSite& site = device.site;
  if (site.inputs[0].dtype != DType::f32 || site.outputs[0].dtype != DType::f32) return Offer::refuse("images in fp32 alone");
  const Shape& x = site.inputs[0].shape;
  Offer offer = plain_offer(site, {});
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  AveragePoolArguments arguments;
  arguments.samples = x[0];
  arguments.channels = x[1];
  arguments.pixels = x[2] * x[3];
  offer.prepare = [arguments] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      AveragePoolArguments a = arguments;
      a.x = floats(buffers.inputs[0]);
      a.y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [a] { backend().launch(a); };
    }};
  };
  return offer;
}

}  // namespace edgelab::kernels::cuda
