#include <algorithm>
#include <vector>

#include "kernels/batch_norm/batch_norm_pixels.hpp"
#include "kernels/caches.hpp"
#include "kernels/chunks.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"

namespace edgelab::kernels {
namespace {

struct Memory {
  const float *x, *weight, *bias;
  float *y, *mean, *variance;
  std::byte* scratch;
};

class TrainingNorm {
 public:
  TrainingNorm(const BatchNormTraining& settings, const Shape& x, int threads) : settings_(settings), channels_(x[1]), chunks_{x[0] * x[2] * x[3], threads} {}

  std::size_t scratch_bytes() const { return static_cast<std::size_t>(channels_) * (static_cast<std::size_t>(chunks_.count) * 2 * sizeof(double) + sizeof(float)); }

  void run(const Member& member, const Memory& m) const {
    chunks_.each(member, [&](std::int64_t chunk, std::int64_t first, std::int64_t size) {
      ChannelMoments moments = moments_of(m, chunk);
      std::fill_n(moments.mean, 2 * channels_, 0.0);
      add_moments(m.x + first * channels_, size, channels_, moments);
    });
    member.barrier();
    const Member::Part part = member.part(channels_, 16);
    join(part.begin, part.size(), m);
    member.barrier();
    chunks_.each_block_backwards(member, cached_pixels(channels_), [&](std::int64_t first, std::int64_t size) {
      const NormPixels pixels{m.x + first * channels_, size, channels_, m.mean, scale(m), m.bias, settings_.activation};
      normalise_pixels(pixels, m.y + first * channels_, goes_past_caches(chunks_.total * channels_ * 4));
    });
  }

 private:
  ChannelMoments moments_of(const Memory& m, std::int64_t chunk) const {
    double* mean = reinterpret_cast<double*>(m.scratch) + chunk * 2 * channels_;
    return {0, mean, mean + channels_};
  }
  float* scale(const Memory& m) const { return reinterpret_cast<float*>(reinterpret_cast<double*>(m.scratch) + chunks_.count * 2 * channels_); }

  // What all chunks found, into the first one's moments and on into the results.
  void join(std::int64_t first, std::int64_t count, const Memory& m) const {
    ChannelMoments all = moments_of(m, 0);
    all.count = chunks_.size(0);
    for (std::int64_t chunk = 1; chunk < chunks_.count; ++chunk) {
      ChannelMoments other = moments_of(m, chunk);
      other.count = chunks_.size(chunk);
      add_moments(other, first, count, all);
      all.count += other.count;
    }
    for (std::int64_t c = first; c < first + count; ++c) {
      m.mean[c] = static_cast<float>(all.mean[c]);
      m.variance[c] = static_cast<float>(all.squares[c] / static_cast<double>(all.count));
      scale(m)[c] = norm_scale(m.weight[c], m.variance[c], settings_.epsilon);
    }
  }

  BatchNormTraining settings_;
  std::int64_t channels_;
  Chunks chunks_;
};

}  // namespace

Offer batch_norm_training_simd(const CallSite& site) {
  const BatchNormTraining settings = *site.op.as<BatchNormTraining>();
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0)) return Offer::refuse("images that are constant");
  if (!norm_pixels_know(settings.activation)) return Offer::refuse("gelu");
  const TrainingNorm norm(settings, site.inputs[0].shape, site.threads);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto in = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const auto out = [&](std::size_t output) { return reinterpret_cast<float*>(buffers.outputs[output]); };
      const Memory memory{in(0), in(1), in(2), out(0), out(1), out(2), buffers.scratch};
      return [=, keep = constants](const Member& member) { norm.run(member, memory); };
    }};
  };
  Offer offer = plain_offer(site, prepare, norm.scratch_bytes());
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
