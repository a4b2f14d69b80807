#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/activation/slope.hpp"
#include "kernels/batch_norm_backward/batch_norm_backward.hpp"

namespace edgelab::kernels {
namespace {

struct Operands {
  const float *x, *weight, *bias, *mean, *variance, *dy;
  float *dx, *dweight, *dbias;
};

void differentiate_channel(const BatchNormBackward& settings, const Shape& shape, const Operands& o, std::int64_t c) {
  const std::int64_t pixels = shape[2] * shape[3];
  const double weight = static_cast<double>(o.weight[c]), bias = static_cast<double>(o.bias[c]), mean = static_cast<double>(o.mean[c]);
  const double inverse = 1.0 / std::sqrt(static_cast<double>(o.variance[c]) + settings.epsilon);
  const auto count = static_cast<double>(shape[0] * pixels);
  const auto normal = [&](std::int64_t i) { return (static_cast<double>(o.x[i]) - mean) * inverse; };
  const auto gradient = [&](std::int64_t i) { return static_cast<double>(o.dy[i]) * slope(settings.activation, normal(i) * weight + bias); };
  const auto each = [&](const auto& at) {
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      const std::int64_t first = (n * shape[1] + c) * pixels;
      for (std::int64_t i = first; i < first + pixels; ++i) at(i);
    }
  };
  double dweight = 0.0, dbias = 0.0;
  each([&](std::int64_t i) {
    dbias += gradient(i);
    dweight += gradient(i) * normal(i);
  });
  o.dweight[c] = static_cast<float>(dweight);
  o.dbias[c] = static_cast<float>(dbias);
  each([&](std::int64_t i) {
    const double through_statistics = settings.frozen ? 0.0 : (dbias + normal(i) * dweight) / count;
    o.dx[i] = static_cast<float>(weight * inverse * (gradient(i) - through_statistics));
  });
}

}  // namespace

Offer batch_norm_backward_reference(const CallSite& site) {
  const BatchNormBackward settings = *site.op.as<BatchNormBackward>();
  const Shape shape = site.inputs[0].shape;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto in = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const auto out = [&](std::size_t output) { return reinterpret_cast<float*>(buffers.outputs[output]); };
      const Operands operands{in(0), in(1), in(2), in(3), in(4), in(5), out(0), out(1), out(2)};
      return [=] {
        parallel_for(shape[1], threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t c = begin; c < end; ++c) differentiate_channel(settings, shape, operands, c);
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
