#include <algorithm>
#include <memory>

#include "kernels/aligned.hpp"
#include "kernels/caches.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d/depthwise_row.hpp"
#include "kernels/conv2d/first_convolution.hpp"
#include "kernels/conv2d/pointwise.hpp"

// Three kinds of convolution as steps by the team: 1×1 and depthwise 3×3 (channels last in and out), and the first one of a
// network, which reads plain images of a few channels and writes channels last.
namespace edgelab::kernels {
namespace {

struct Size {
  std::int64_t batch, channels, height, width, channels_out, height_out, width_out;
  std::int64_t pixels_out() const { return height_out * width_out; }
};

// The two enumerations are one list.
static_assert(static_cast<int>(ActivationKind::gelu) == static_cast<int>(tile_gemm::Activation::gelu) &&
              static_cast<int>(ActivationKind::relu6) == static_cast<int>(tile_gemm::Activation::relu6));

Size size_of(const CallSite& site) {
  const Shape& x = site.inputs[0].shape;
  const Shape& y = site.outputs[0].shape;
  return {x[0], x[1], x[2], x[3], y[1], y[2], y[3]};
}

tile_gemm::Epilogue epilogue_of(const Conv2d& conv, std::int64_t channels_out) {
  tile_gemm::Epilogue epilogue;
  epilogue.bias = conv.has_bias;
  epilogue.residual = conv.has_residual;
  epilogue.residual_ld = conv.has_residual ? channels_out : 0;
  epilogue.activation = static_cast<tile_gemm::Activation>(conv.activation);
  return epilogue;
}

// Of one call. Weights that are constant were packed beforehand; others are packed by the team in each run.
struct Operands {
  Tensor packed;           // where the weight is constant
  const float* x;
  const float* weight;     // where it is not
  const float* bias;       // or null
  const float* residual;   // or null
  float* y;
  std::byte* scratch;
};

// The kernel of one way to do it: `run(member, operands)` is one member's part. pack(): constant weights for it.
template <class Pack, class Run> std::function<PreparedKernel()> prepare(const CallSite& site, const Conv2d& conv, const Pack& pack, const Run& run) {
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return [=, packs = site.packs] {
    const Tensor packed = constants[1].defined() ? pack(*packs, constants[1]) : Tensor();
    const std::size_t bytes = packed.defined() ? packed.bytes() : 0;
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const Operands operands{packed,
                              floats(0),
                              constants[1].defined() ? nullptr : floats(1),
                              conv.has_bias ? floats(2) : nullptr,
                              conv.has_residual ? floats(conv.residual_input()) : nullptr,
                              reinterpret_cast<float*>(buffers.outputs[0]),
                              buffers.scratch};
      return [=, keep = constants](const Member& member) { run(member, operands); };
    }, bytes};
  };
}

// ---- 1×1 ----

Offer pointwise(const CallSite& site, const Conv2d& conv) {
  const Size size = size_of(site);
  PointwiseSettings settings;
  settings.pixels = size.batch * size.pixels_out(), settings.inputs = size.channels, settings.outputs = size.channels_out;
  settings.compute = conv.compute;
  settings.epilogue = epilogue_of(conv, size.channels_out);
  settings.constant_weight = site.constant(1);
  const PointwiseProduct product(settings, site.threads, site.machine);
  const auto run = [=](const Member& member, const Operands& o) {
    product.run(member, {o.x, o.packed.defined() ? o.packed.data() : nullptr, o.weight, o.bias, o.residual, o.y, o.scratch});
  };
  Offer offer = plain_offer(site, prepare(site, conv, [=](PackCache& packs, const Tensor& w) { return product.pack(packs, w); }, run), product.scratch_bytes());
  offer.detail = tile_detail("pointwise", product.implementation(), conv.compute, site.machine);
  offer.effective = conv.compute;
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  if (conv.has_residual) offer.inputs[conv.residual_input()] = Layout::channels_last(site.outputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

// ---- depthwise 3×3 ----

Offer depthwise(const CallSite& site, const Conv2d& conv) {
  const Size size = size_of(site);
  const Tensor no_bias(DType::f32, {size.channels});
  const auto run = [=](const Member& member, const Operands& o) {
    auto* packed = reinterpret_cast<float*>(o.scratch);
    if (o.weight != nullptr) {
      const Member::Part channels = member.part(size.channels, 16);
      pack_depthwise(o.weight, size.channels, channels.begin, channels.end, false, packed);
      member.barrier();
    }
    DepthwiseRow row;
    row.pixel = row.channels = row.weights_ld = row.out_pixel = size.channels;
    row.width = size.width;
    row.stride = conv.stride;
    row.weights = o.weight != nullptr ? packed : o.packed.as<float>().data();
    row.bias = o.bias != nullptr ? o.bias : no_bias.as<float>().data();
    row.activation = conv.activation;
    row.past_cache = goes_past_caches(size.batch * size.pixels_out() * size.channels * 4);
    const std::int64_t row_floats = size.width * size.channels;
    const float* end = o.x + size.batch * size.height * row_floats;
    const Member::Part part = member.part(size.batch * size.height_out);
    for (std::int64_t at = part.begin; at < part.end; ++at) {
      const float* image = o.x + at / size.height_out * size.height * row_floats;
      row.rows = depthwise_rows(image, size.height, row_floats, at % size.height_out, conv.stride);
      look_ahead(row, image, size.height, row_floats, at % size.height_out, end);
      row.out = o.y + at * size.width_out * size.channels;
      depthwise_row(row);
    }
  };
  const std::size_t scratch = site.constant(1) ? 0 : static_cast<std::size_t>(9 * size.channels) * sizeof(float);
  Offer offer = plain_offer(site, prepare(site, conv, [](PackCache& packs, const Tensor& w) { return pack_depthwise(packs, w); }, run), scratch);
  offer.detail = "depthwise";
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

// ---- the first convolution ----

Offer first_convolution(const CallSite& site, const Conv2d& conv) {
  const Size size = size_of(site);
  const Shape& w = site.inputs[1].shape;
  const FirstConvolution first({size.channels, size.height, size.width, size.channels_out, w[2], w[3], conv.stride, conv.padding},
                               size.channels_out, epilogue_of(conv, size.channels_out), site.machine);
  const std::size_t own = aligned(first.scratch_bytes()), shared = site.constant(1) ? 0 : aligned(first.tiles().packed_bytes());
  const std::int64_t products = w[1] * w[2] * w[3];
  const auto run = [=](const Member& member, const Operands& o) {
    if (o.weight != nullptr) {
      if (member.index() == 0) first.tiles().pack({o.weight, products, true}, 0, o.scratch);
      member.barrier();
    }
    std::byte* mine = o.scratch + shared + static_cast<std::size_t>(member.index()) * own;
    first.clear(mine);
    tile_gemm::Arguments arguments;
    arguments.packed_b = o.weight != nullptr ? o.scratch : o.packed.data();
    arguments.bias = o.bias;
    const Member::Part part = member.part(size.batch * size.height_out);
    for (std::int64_t at = part.begin; at < part.end; ++at) {
      arguments.c = o.y + at * size.width_out * size.channels_out;
      first.row(o.x + at / size.height_out * size.channels * size.height * size.width, at % size.height_out, mine, arguments);
    }
  };
  Offer offer = plain_offer(site, prepare(site, conv, [=](PackCache& packs, const Tensor& weight) { return first.tiles().pack(packs, weight); }, run),
                            shared + own * static_cast<std::size_t>(site.threads));
  offer.detail = tile_detail("first", first.tiles().implementation(), DType::f32, site.machine);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace

Offer conv2d_tile(const CallSite& site) {
  const Conv2d conv = *site.op.as<Conv2d>();
  const Shape& w = site.inputs[1].shape;
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0)) return Offer::refuse("images that are constant");
  if (conv.has_residual && (conv.activation != ActivationKind::none || site.constant(conv.residual_input()))) {
    return Offer::refuse("a residual behind an activation, or one that is constant");
  }
  if (is_pointwise(conv, w)) return pointwise(site, conv);
  if (conv.has_residual) return Offer::refuse("a residual of a convolution larger than 1×1");
  if (is_depthwise_3x3(conv, w)) return depthwise(site, conv);
  if (conv.groups == 1 && w[1] <= FirstConvolution::kMostChannels) return first_convolution(site, conv);
  return Offer::refuse("neither 1×1, nor depthwise 3×3, nor of few input channels");
}

}  // namespace edgelab::kernels
