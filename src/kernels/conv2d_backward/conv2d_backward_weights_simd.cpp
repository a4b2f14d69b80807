#include <algorithm>

#include "kernels/chunks.hpp"
#include "kernels/conv2d/depthwise_row.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"
#include "kernels/conv2d_backward/depthwise_gradient.hpp"

// The gradient by the weight of a depthwise 3×3 convolution as a step by the team, channels last.
namespace edgelab::kernels {
namespace {

struct Problem {
  Shape x, y;
  int stride;
  Chunks rows;  // of y, of all images

  std::int64_t sums() const { return 9 * x[1]; }
};

// What rows first … first + size - 1 of y contribute, [9, channels].
void sum_rows(const Problem& p, std::int64_t first, std::int64_t size, const float* x, const float* dy, float* sums) {
  const std::int64_t x_row = p.x[3] * p.x[1], y_row = p.y[3] * p.y[1];
  DepthwiseWeightsRow row;
  row.width = p.x[3], row.outputs = p.y[3], row.channels = p.x[1], row.stride = p.stride;
  row.sums = sums;
  std::fill_n(sums, p.sums(), 0.0f);
  for (std::int64_t at = first; at < first + size; ++at) {
    const std::int64_t i = at % p.y[2];
    const float* image = x + at / p.y[2] * p.x[2] * x_row;
    row.x = depthwise_rows(image, p.x[2], x_row, i, p.stride);
    row.dy = dy + at * y_row;
    row.ahead = image + std::min(p.x[2], i * p.stride + 2) * x_row;
    row.ahead_end = std::min(x + p.x.elements(), row.ahead + p.stride * x_row);
    row.dy_ahead = row.dy + y_row;
    row.dy_ahead_end = std::min(dy + p.y.elements(), row.dy_ahead + y_row);
    depthwise_weights_row(row);
  }
}

}  // namespace

Offer conv2d_backward_weights_simd(const CallSite& site) {
  const Conv2dBackwardWeights settings = *site.op.as<Conv2dBackwardWeights>();
  const Shape& w = site.outputs[0].shape;
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0) || site.constant(1)) return Offer::refuse("images that are constant");
  if (settings.has_bias || !is_depthwise_3x3(settings.forward(), w)) return Offer::refuse("not depthwise 3×3, or with a bias");
  const Shape& y = site.inputs[1].shape;
  const Problem problem{site.inputs[0].shape, y, settings.stride, {y[0] * y[2], site.threads}};
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      const auto* dy = reinterpret_cast<const float*>(buffers.inputs[1]);
      auto* dw = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* all = reinterpret_cast<float*>(buffers.scratch);
      return [=](const Member& member) {
        const std::int64_t sums = problem.sums(), channels = problem.x[1];
        problem.rows.each(member, [&](std::int64_t chunk, std::int64_t first, std::int64_t size) { sum_rows(problem, first, size, x, dy, all + chunk * sums); });
        member.barrier();
        join_sums(member, all, problem.rows.count, sums, sums, [&](std::int64_t i, float total) { dw[i % channels * 9 + i / channels] = total; });
      };
    }};
  };
  Offer offer = plain_offer(site, prepare, static_cast<std::size_t>(problem.rows.count * problem.sums()) * sizeof(float));
  offer.detail = "depthwise";
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.inputs[1] = Layout::channels_last(site.inputs[1]);
  return offer;
}

}  // namespace edgelab::kernels
