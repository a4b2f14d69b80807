#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/mlp/mlp.hpp"

namespace edgelab::kernels {
namespace {

struct Weights {
  const float *gain, *shift, *up, *up_bias, *down, *down_bias;
};

void normalise(const float* x, std::int64_t width, double epsilon, const Weights& w, double* y) {
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < width; ++i) mean += static_cast<double>(x[i]) / static_cast<double>(width);
  for (std::int64_t i = 0; i < width; ++i) variance += std::pow(static_cast<double>(x[i]) - mean, 2) / static_cast<double>(width);
  const double scale = 1.0 / std::sqrt(variance + epsilon);
  for (std::int64_t i = 0; i < width; ++i) {
    y[i] = (static_cast<double>(x[i]) - mean) * scale * static_cast<double>(w.gain[i]) + static_cast<double>(w.shift[i]);
  }
}

// out[n] = bias[n] + Σ_k w[n, k] · x[k], operands rounded to `type`.
void multiply(const double* x, std::int64_t k, const float* w, const float* bias, std::int64_t n, DType type, double* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<double>(bias[i]);
    for (std::int64_t j = 0; j < k; ++j) {
      const double left = type == DType::f32 ? x[j] : operand(type, static_cast<float>(x[j]));
      out[i] += left * operand(type, w[i * k + j]);
    }
  }
}

}  // namespace

Offer mlp_reference(const CallSite& site) {
  const Mlp settings = *site.op.as<Mlp>();
  const std::int64_t width = site.inputs[Mlp::kX].shape.back(), hidden = site.inputs[Mlp::kUp].shape[0];
  const std::int64_t rows = site.inputs[Mlp::kX].elements() / width;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  const auto row_doubles = 2 * width + hidden;
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
          const float* x = floats(Mlp::kX);
          const Weights w{floats(Mlp::kNormWeight), floats(Mlp::kNormBias), floats(Mlp::kUp), floats(Mlp::kUpBias), floats(Mlp::kDown), floats(Mlp::kDownBias)};
          auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
          auto* scratch = reinterpret_cast<double*>(buffers.scratch);
          return [=] {
            parallel_for(rows, threads, [=](std::int64_t begin, std::int64_t end) {
              for (std::int64_t row = begin; row < end; ++row) {
                double *normal = scratch + row * row_doubles, *down = normal + width, *between = down + width;
                normalise(x + row * width, width, settings.epsilon, w, normal);
                multiply(normal, width, w.up, w.up_bias, hidden, settings.compute, between);
                for (std::int64_t i = 0; i < hidden; ++i) between[i] = activate(settings.activation, between[i]);
                multiply(between, hidden, w.down, w.down_bias, width, settings.compute, down);
                for (std::int64_t i = 0; i < width; ++i) y[row * width + i] = static_cast<float>(static_cast<double>(x[row * width + i]) + down[i]);
              }
            });
          };
        }};
      },
      static_cast<std::size_t>(rows * row_doubles) * sizeof(double));
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
