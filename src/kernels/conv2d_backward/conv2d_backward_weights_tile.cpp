#include <algorithm>

#include "kernels/aligned.hpp"
#include "kernels/chunks.hpp"
#include "kernels/conv2d/first_convolution.hpp"
#include "kernels/conv2d/pointwise.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"
#include "kernels/conv2d_backward/weight_product.hpp"

// Gradients by the weight as steps by the team on tile_gemm: 1×1 channels last, and a network's first one, from plain images.
namespace edgelab::kernels {
namespace {

struct Operands {
  const float *x, *dy;
  float* dw;
  std::byte* scratch;
};

template <class Run> Offer offer_of(const CallSite& site, std::size_t scratch_bytes, const Run& run) {
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto in = [&](std::size_t input) { return reinterpret_cast<const float*>(buffers.inputs[input]); };
      const Operands operands{in(0), in(1), reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
      return [=](const Member& member) { run(member, operands); };
    }};
  };
  Offer offer = plain_offer(site, prepare, scratch_bytes);
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.inputs[1] = Layout::channels_last(site.inputs[1]);
  return offer;
}

Offer pointwise(const CallSite& site, DType compute) {
  const Shape& x = site.inputs[0].shape;
  const WeightProduct product(x[0] * x[2] * x[3], site.inputs[1].shape[1], x[1], compute, site.threads, site.machine);
  const auto run = [=](const Member& member, const Operands& o) { product.run(member, o.x, o.dy, o.dw, o.scratch); };
  Offer offer = offer_of(site, product.scratch_bytes(), run);
  offer.detail = tile_detail("pointwise", product.implementation(), DType::f32, site.machine) + (compute == DType::bf16 ? " (rounded to bf16, multiplied in fp32)" : "");
  offer.effective = compute;
  return offer;
}

// ---- the first convolution ----

// An output row of dy is one operand, [pixels, O]; each of the image's lines that it reads is the other, [pixels, KW], its rows a
// stride apart and overlapping.
Offer first_convolution(const CallSite& site, const Conv2d& conv) {
  const Shape x = site.inputs[0].shape, y = site.inputs[1].shape, w = site.outputs[0].shape;
  const FirstConvolution first({x[1], x[2], x[3], w[0], w[2], w[3], conv.stride, conv.padding}, w[0], {}, site.machine);
  tile_gemm::Settings settings;
  settings.m = w[3], settings.n = settings.ldc = w[0], settings.k = y[3], settings.lda = conv.stride;
  settings.transposed_a = settings.accumulate = true;
  const tile_gemm::Kernel product = tile_gemm::choose_for_layers(settings, site.machine).kernel;
  const Chunks rows{y[0] * y[2], site.threads};
  const std::int64_t products = w[1] * w[2] * w[3], sums = products * w[0];
  const std::size_t shared = aligned(static_cast<std::size_t>(rows.count * sums) * sizeof(float));
  const std::size_t packed = aligned(product.packed_bytes()), tiles = aligned(product.scratch_bytes()), own = packed + tiles + aligned(first.scratch_bytes());
  const auto run = [=](const Member& member, const Operands& o) {
    auto* all = reinterpret_cast<float*>(o.scratch);
    rows.each(member, [&](std::int64_t chunk, std::int64_t begin, std::int64_t size) {
      std::byte* mine = o.scratch + shared + static_cast<std::size_t>(chunk) * own;
      std::byte* lines = mine + packed + tiles;
      first.clear(lines);
      std::fill_n(all + chunk * sums, sums, 0.0f);
      for (std::int64_t at = begin; at < begin + size; ++at) {
        product.pack({o.dy + at * y[3] * y[1], y[1], false}, mine);
        first.copy_lines(o.x + at / y[2] * x[1] * x[2] * x[3], at % y[2], lines);
        tile_gemm::Arguments arguments;
        arguments.packed_b = mine;
        arguments.scratch = mine + packed;
        for (std::int64_t line = 0; line < first.lines(); ++line) {
          arguments.a = reinterpret_cast<const float*>(lines) + line * first.line();
          arguments.c = all + chunk * sums + line * w[3] * w[0];
          product.run(arguments);
        }
      }
    });
    member.barrier();
    join_sums(member, all, rows.count, sums, sums, [&](std::int64_t i, float total) { o.dw[i % w[0] * products + i / w[0]] = total; });
  };
  Offer offer = offer_of(site, shared + own * static_cast<std::size_t>(site.threads), run);
  offer.inputs[0] = Layout::plain(site.inputs[0]);
  offer.detail = "first";
  return offer;
}

}  // namespace

Offer conv2d_backward_weights_tile(const CallSite& site) {
  const Conv2dBackwardWeights settings = *site.op.as<Conv2dBackwardWeights>();
  const Conv2d conv = settings.forward();
  const Shape& w = site.outputs[0].shape;
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0) || site.constant(1)) return Offer::refuse("images that are constant");
  if (settings.has_bias) return Offer::refuse("a bias");
  if (is_pointwise(conv, w)) return pointwise(site, settings.compute);
  if (conv.groups == 1 && w[1] <= FirstConvolution::kMostChannels) return first_convolution(site, conv);
  return Offer::refuse("neither 1×1 nor of few input channels");
}

}  // namespace edgelab::kernels
