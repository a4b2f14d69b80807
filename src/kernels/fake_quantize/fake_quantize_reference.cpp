#include <algorithm>
#include <vector>

#include "kernels/fake_quantize/fake_quantize.hpp"

namespace edgelab::kernels {
namespace {

struct Number {
  double nearest, exact;  // in units of the scale, before the range
};

Number in_units(const FakeQuantize& op, double x, double scale) {
  const double units = x / scale + op.zero_point;
  return {std::nearbyint(units), units};
}

}  // namespace

Offer fake_quantize_reference(const CallSite& site) {
  const FakeQuantize op = *site.op.as<FakeQuantize>();
  const std::int64_t rows = site.inputs[1].elements(), each = site.inputs[0].elements() / std::max<std::int64_t>(1, rows);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* logarithm = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        for (std::int64_t i = 0; i < rows * each; ++i) {
          const double scale = std::exp2(static_cast<double>(logarithm[i / each]));
          const double q = std::clamp<double>(in_units(op, static_cast<double>(x[i]), scale).nearest, op.low, op.high);
          y[i] = static_cast<float>((q - op.zero_point) * scale);
        }
      };
    }};
  });
}

Offer fake_quantize_backward_reference(const CallSite& site) {
  const FakeQuantize op = site.op.as<FakeQuantizeBackward>()->forward;
  const std::int64_t rows = site.inputs[1].elements(), each = site.inputs[0].elements() / std::max<std::int64_t>(1, rows);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* logarithm = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 2));
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* dp = reinterpret_cast<float*>(buffers.outputs[1]);
      return [=] {
        for (std::int64_t row = 0; row < rows; ++row) {
          const double scale = std::exp2(static_cast<double>(logarithm[row]));
          double sum = 0.0;
          for (std::int64_t i = row * each; i < (row + 1) * each; ++i) {
            const auto [nearest, exact] = in_units(op, static_cast<double>(x[i]), scale);
            const bool inside = nearest >= op.low && nearest <= op.high;
            dx[i] = inside ? dy[i] : 0.0f;
            const double error = inside ? nearest - exact : std::clamp<double>(nearest, op.low, op.high) - op.zero_point;
            sum += static_cast<double>(dy[i]) * error;
          }
          dp[row] = static_cast<float>(sum * static_cast<double>(scale_gradient_factor(static_cast<float>(scale), each, op.high)));
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels
