#include <algorithm>

#include "kernels/caches.hpp"
#include "kernels/conv2d/depthwise_row.hpp"
#include "kernels/conv2d/pointwise.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"
#include "kernels/conv2d_backward/depthwise_gradient.hpp"

// The gradients by the input of MobileNetV2's convolutions as steps by the team, channels last: 1×1 and depthwise 3×3.
namespace edgelab::kernels {
namespace {

struct Operands {
  const float *dy, *weight;
  float* dx;
  std::byte* scratch;
};

template <class Run> Offer channels_last_offer(const CallSite& site, std::size_t scratch_bytes, const Run& run) {
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto in = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const Operands operands{in(0), in(1), reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
      return [=, keep = constants](const Member& member) { run(member, operands); };
    }};
  };
  Offer offer = plain_offer(site, prepare, scratch_bytes);
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

Offer pointwise(const CallSite& site, DType compute) {
  const Shape& dy = site.inputs[0].shape;
  PointwiseSettings settings;
  settings.pixels = dy[0] * dy[2] * dy[3], settings.inputs = dy[1], settings.outputs = site.outputs[0].shape[1];
  settings.compute = compute;
  settings.by_outputs = false;
  const PointwiseProduct product(settings, site.threads, site.machine);
  Offer offer = channels_last_offer(site, product.scratch_bytes(), [=](const Member& member, const Operands& o) {
    PointwiseProduct::Memory memory;
    memory.x = o.dy, memory.weight = o.weight, memory.y = o.dx, memory.scratch = o.scratch;
    product.run(member, memory);
  });
  offer.detail = tile_detail("pointwise", product.implementation(), compute, site.machine);
  offer.effective = compute;
  return offer;
}

// Its rows are those of a depthwise convolution with the taps turned.
void depthwise_stride_1(const Member& member, const Shape& dy, const Operands& o, const float* weights, const float* no_bias) {
  DepthwiseRow row;
  row.pixel = row.channels = row.weights_ld = row.out_pixel = dy[1];
  row.width = dy[3];
  row.weights = weights;
  row.bias = no_bias;
  row.past_cache = goes_past_caches(dy.elements() * 4);
  const std::int64_t row_floats = dy[3] * dy[1];
  const Member::Part part = member.part(dy[0] * dy[2]);
  for (std::int64_t at = part.begin; at < part.end; ++at) {
    const float* image = o.dy + at / dy[2] * dy[2] * row_floats;
    row.rows = depthwise_rows(image, dy[2], row_floats, at % dy[2], 1);
    look_ahead(row, image, dy[2], row_floats, at % dy[2], o.dy + dy.elements());
    row.out = o.dx + at * row_floats;
    depthwise_row(row);
  }
}

// Two rows of x for each of y.
void depthwise_stride_2(const Member& member, const Shape& dy, const Shape& x, const Operands& o, const float* weights) {
  DepthwiseDataRows rows;
  rows.outputs = dy[3], rows.width = x[3], rows.channels = dy[1];
  rows.weights = weights;
  rows.past_cache = goes_past_caches(x.elements() * 4);
  const std::int64_t dy_row = dy[3] * dy[1], x_row = x[3] * x[1];
  const Member::Part part = member.part(dy[0] * dy[2]);
  for (std::int64_t at = part.begin; at < part.end; ++at) {
    const std::int64_t n = at / dy[2], i = at % dy[2];
    const float* from = o.dy + at * dy_row;
    float* to = o.dx + (n * x[2] + 2 * i) * x_row;
    rows.dy = {from, i + 1 < dy[2] ? from + dy_row : nullptr};
    rows.dx = {to, 2 * i + 1 < x[2] ? to + x_row : nullptr};
    rows.ahead = std::min(from + 2 * dy_row, o.dy + dy.elements());
    rows.ahead_end = std::min(rows.ahead + dy_row, o.dy + dy.elements());
    depthwise_data_rows(rows);
  }
}

Offer depthwise(const CallSite& site, int stride) {
  const Shape dy = site.inputs[0].shape, x = site.outputs[0].shape;
  const Tensor no_bias(DType::f32, {x[1]});
  const auto run = [=](const Member& member, const Operands& o) {
    auto* weights = reinterpret_cast<float*>(o.scratch);
    const Member::Part channels = member.part(x[1], 16);
    pack_depthwise(o.weight, x[1], channels.begin, channels.end, stride == 1, weights);
    member.barrier();
    if (stride == 1) return depthwise_stride_1(member, dy, o, weights, no_bias.as<float>().data());
    depthwise_stride_2(member, dy, x, o, weights);
  };
  Offer offer = channels_last_offer(site, static_cast<std::size_t>(9 * x[1]) * sizeof(float), run);
  offer.detail = "depthwise";
  return offer;
}

}  // namespace

Offer conv2d_backward_data_tile(const CallSite& site) {
  const Conv2dBackwardData settings = *site.op.as<Conv2dBackwardData>();
  const Shape& w = site.inputs[1].shape;
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0)) return Offer::refuse("images that are constant");
  if (is_pointwise(settings.forward(), w)) return pointwise(site, settings.compute);
  if (is_depthwise_3x3(settings.forward(), w)) return depthwise(site, settings.stride);
  return Offer::refuse("neither 1×1 nor depthwise 3×3");
}

}  // namespace edgelab::kernels
