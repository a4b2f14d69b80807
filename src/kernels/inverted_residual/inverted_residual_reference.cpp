#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  InvertedResidual settings;
  Shape x, y, expand_weight;
  std::int64_t hidden = 0, height = 0, width = 0;  // of e
};

struct Weights {
  const float *expand = nullptr, *expand_bias = nullptr, *depthwise = nullptr, *depthwise_bias = nullptr, *project = nullptr, *project_bias = nullptr;
};

double expanded_pixel(const Problem& p, const Weights& w, const float* image, std::int64_t h, std::int64_t i, std::int64_t j) {
  const Shape& kernel = p.expand_weight;
  const DType type = p.settings.expands_pointwise(kernel) ? p.settings.compute : DType::f32;
  double sum = static_cast<double>(w.expand_bias[h]);
  for (std::int64_t c = 0; c < p.x[1]; ++c) {
    for (std::int64_t tap = 0; tap < kernel[2] * kernel[3]; ++tap) {
      const std::int64_t row = i * p.settings.expand_stride + tap / kernel[3] - p.settings.expand_padding;
      const std::int64_t column = j * p.settings.expand_stride + tap % kernel[3] - p.settings.expand_padding;
      if (row < 0 || row >= p.x[2] || column < 0 || column >= p.x[3]) continue;
      sum += operand(type, image[(c * p.x[2] + row) * p.x[3] + column]) * operand(type, w.expand[(h * p.x[1] + c) * kernel[2] * kernel[3] + tap]);
    }
  }
  return activate(ActivationKind::relu6, sum);
}

// What the depthwise convolution reads of channel h of image n: [He, We].
void expanded_plane(const Problem& p, const Weights& w, const float* x, std::int64_t n, std::int64_t h, float* plane) {
  const float* image = x + n * p.x[1] * p.x[2] * p.x[3];
  for (std::int64_t at = 0; at < p.height * p.width; ++at) {
    plane[at] = p.settings.expand ? static_cast<float>(expanded_pixel(p, w, image, h, at / p.width, at % p.width)) : image[h * p.height * p.width + at];
  }
}

float depthwise_pixel(const Problem& p, const Weights& w, const float* plane, std::int64_t h, std::int64_t i, std::int64_t j) {
  double sum = static_cast<double>(w.depthwise_bias[h]);
  for (std::int64_t tap = 0; tap < 9; ++tap) {
    const std::int64_t row = i * p.settings.stride + tap / 3 - 1, column = j * p.settings.stride + tap % 3 - 1;
    if (row < 0 || row >= p.height || column < 0 || column >= p.width) continue;
    sum += static_cast<double>(plane[row * p.width + column]) * static_cast<double>(w.depthwise[h * 9 + tap]);
  }
  return static_cast<float>(activate(ActivationKind::relu6, sum));
}

void project_plane(const Problem& p, const Weights& w, const float* x, const float* hidden, std::int64_t n, std::int64_t o, float* y) {
  const DType type = p.settings.compute;
  const std::int64_t pixels = p.y[2] * p.y[3];
  for (std::int64_t at = 0; at < pixels; ++at) {
    double sum = static_cast<double>(w.project_bias[o]);
    for (std::int64_t h = 0; h < p.hidden; ++h) sum += operand(type, hidden[(n * p.hidden + h) * pixels + at]) * operand(type, w.project[o * p.hidden + h]);
    const std::int64_t out = (n * p.y[1] + o) * pixels + at;
    if (p.settings.has_residual) sum += static_cast<double>(x[out]);
    y[out] = static_cast<float>(sum);
  }
}

}  // namespace

Offer inverted_residual_reference(const CallSite& site) {
  const InvertedResidual settings = *site.op.as<InvertedResidual>();
  const Shape x_shape = site.inputs[0].shape, kernel = settings.expand ? site.inputs[1].shape : Shape{1, 1, 1, 1};
  const Problem problem{settings, x_shape, site.outputs[0].shape, kernel, site.inputs[settings.depthwise_input()].shape[0],
                        settings.expanded_extent(x_shape[2], kernel[2]), settings.expanded_extent(x_shape[3], kernel[3])};
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  const std::int64_t before = problem.x[0] * problem.hidden * problem.height * problem.width;
  const std::int64_t after = problem.x[0] * problem.hidden * problem.y[2] * problem.y[3];
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      Weights w;
      if (settings.expand) w.expand = floats(1), w.expand_bias = floats(2);
      w.depthwise = floats(settings.depthwise_input()), w.depthwise_bias = floats(settings.depthwise_input() + 1);
      w.project = floats(settings.project_input()), w.project_bias = floats(settings.project_input() + 1);
      const float* x = floats(0);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* expanded = reinterpret_cast<float*>(buffers.scratch);
      float* hidden = expanded + before;
      return [=, p = problem] {
        const std::int64_t in = p.height * p.width, out = p.y[2] * p.y[3];
        parallel_for(p.x[0] * p.hidden, threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) {
            const std::int64_t h = plane % p.hidden;
            expanded_plane(p, w, x, plane / p.hidden, h, expanded + plane * in);
            for (std::int64_t at = 0; at < out; ++at) hidden[plane * out + at] = depthwise_pixel(p, w, expanded + plane * in, h, at / p.y[3], at % p.y[3]);
          }
        });
        parallel_for(p.x[0] * p.y[1], threads, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) project_plane(p, w, x, hidden, plane / p.y[1], plane % p.y[1], y);
        });
      };
    }};
  };
  Offer offer = plain_offer(site, prepare, static_cast<std::size_t>(before + after) * sizeof(float));
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
