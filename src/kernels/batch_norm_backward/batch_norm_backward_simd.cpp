#include <algorithm>
#include <vector>

#include "kernels/batch_norm/batch_norm_pixels.hpp"
#include "kernels/caches.hpp"
#include "kernels/chunks.hpp"
#include "kernels/batch_norm_backward/batch_norm_backward.hpp"

namespace edgelab::kernels {
namespace {

struct Memory {
  const float *x, *weight, *bias, *mean, *variance, *dy;
  float *dx, *dweight, *dbias;
  std::byte* scratch;
};

class NormGradient {
 public:
  NormGradient(const BatchNormBackward& settings, const Shape& x, int threads)
      : settings_(settings), channels_(x[1]), chunks_{x[0] * x[2] * x[3], threads} {}

  // Two sums of each chunk in f64; scale, slope and shift.
  std::size_t scratch_bytes() const {
    return static_cast<std::size_t>(channels_) * (static_cast<std::size_t>(chunks_.count) * 2 * sizeof(double) + 3 * sizeof(float));
  }

  void run(const Member& member, const Memory& m) const {
    const Member::Part part = member.part(channels_, 16);
    for (std::int64_t c = part.begin; c < part.end; ++c) scale(m)[c] = norm_scale(m.weight[c], m.variance[c], settings_.epsilon);
    member.barrier();
    chunks_.each(member, [&](std::int64_t chunk, std::int64_t first, std::int64_t size) {
      std::fill_n(sums(m, chunk), 2 * channels_, 0.0);
      add_gradient_sums(pixels(m, first, size), m.dy + first * channels_, sums(m, chunk), sums(m, chunk) + channels_);
    });
    member.barrier();
    for (std::int64_t c = part.begin; c < part.end; ++c) join(c, m);
    member.barrier();
    chunks_.each_block_backwards(member, cached_pixels(channels_), [&](std::int64_t first, std::int64_t size) {
      const std::int64_t at = first * channels_;
      gradient_pixels(pixels(m, first, size), m.dy + at, slope(m), shift(m), m.dx + at, goes_past_caches(chunks_.total * channels_ * 4));
    });
  }

 private:
  double* sums(const Memory& m, std::int64_t chunk) const { return reinterpret_cast<double*>(m.scratch) + chunk * 2 * channels_; }
  float* scale(const Memory& m) const { return reinterpret_cast<float*>(sums(m, chunks_.count)); }
  float* slope(const Memory& m) const { return scale(m) + channels_; }
  float* shift(const Memory& m) const { return slope(m) + channels_; }
  NormPixels pixels(const Memory& m, std::int64_t first, std::int64_t size) const {
    return {m.x + first * channels_, size, channels_, m.mean, scale(m), m.bias, settings_.activation};
  }

  // Channel c of all chunks; what dx needs of it.
  void join(std::int64_t c, const Memory& m) const {
    double sum = 0.0, product = 0.0;
    for (std::int64_t chunk = 0; chunk < chunks_.count; ++chunk) {
      sum += sums(m, chunk)[c];
      product += sums(m, chunk)[channels_ + c];
    }
    const double inverse = 1.0 / std::sqrt(static_cast<double>(m.variance[c]) + settings_.epsilon), dweight = product * inverse;
    m.dbias[c] = static_cast<float>(sum);
    m.dweight[c] = static_cast<float>(dweight);
    const double share = settings_.frozen ? 0.0 : -static_cast<double>(scale(m)[c]) / static_cast<double>(chunks_.total);
    slope(m)[c] = static_cast<float>(share * dweight * inverse);
    shift(m)[c] = static_cast<float>(share * sum);
  }

  BatchNormBackward settings_;
  std::int64_t channels_;
  Chunks chunks_;
};

}  // namespace

Offer batch_norm_backward_simd(const CallSite& site) {
  const BatchNormBackward settings = *site.op.as<BatchNormBackward>();
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0) || site.constant(5)) return Offer::refuse("images that are constant");
  if (!norm_pixels_know(settings.activation)) return Offer::refuse("gelu");
  const NormGradient norm(settings, site.inputs[0].shape, site.threads);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto in = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const auto out = [&](std::size_t output) { return reinterpret_cast<float*>(buffers.outputs[output]); };
      const Memory memory{in(0), in(1), in(2), in(3), in(4), in(5), out(0), out(1), out(2), buffers.scratch};
      return [=, keep = constants](const Member& member) { norm.run(member, memory); };
    }};
  };
  Offer offer = plain_offer(site, prepare, norm.scratch_bytes());
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.inputs[5] = Layout::channels_last(site.inputs[5]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
