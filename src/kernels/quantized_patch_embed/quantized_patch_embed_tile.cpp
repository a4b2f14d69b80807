#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/aligned.hpp"
#include "kernels/quantize/byte_rows.hpp"
#include "kernels/quantized_linear/integer_layer.hpp"
#include "kernels/quantized_patch_embed/quantized_patch_embed.hpp"

namespace edgelab::kernels {
namespace {

constexpr std::int64_t kBandRows = 100;

// Images are cut into the same bands, so that a band is rows of one image and few heights occur.
struct Problem {
  QuantizedPatchEmbed settings;
  Shape x, y;
  std::int64_t patch = 0, columns = 0, patches = 0, prefix = 0, bands = 0, k = 0;

  std::int64_t band_begin(std::int64_t band) const { return patches * band / bands; }
  std::int64_t most_rows() const { return (patches + bands - 1) / bands; }
};

Problem problem_of(const CallSite& site) {
  Problem p;
  p.settings = *site.op.as<QuantizedPatchEmbed>();
  p.x = site.inputs[0].shape;
  p.y = site.outputs[0].shape;
  p.patch = site.inputs[1].shape[2];
  p.columns = p.x[3] / p.patch;
  p.patches = p.x[2] / p.patch * p.columns;
  p.prefix = p.settings.layout.prefix_tokens(p.settings.without_scale(site.inputs));
  p.k = p.x[1] * p.patch * p.patch;
  p.bands = (p.patches + kBandRows - 1) / kBandRows;
  // Else members would have one band more or less than others.
  if (p.x[0] % site.threads != 0) p.bands = (p.bands + site.threads - 1) / site.threads * site.threads;
  p.bands = std::min(p.bands, p.patches);
  return p;
}

IntegerLayer layer_of(const Problem& p, const Machine& machine) {
  std::vector<std::int64_t> heights = {p.patches / p.bands};
  if (p.patches % p.bands != 0) heights.push_back(heights.front() + 1);
  return {{p.k, p.y[2], p.settings.input, p.settings.weight_bits, ActivationKind::none, {}, true}, heights, machine};
}

// Patches first … first + count of one image [C, H, W] as rows [count, C·P·P] on their grid.
void quantize_patches(const Problem& p, const float* image, std::int64_t first, std::int64_t count, std::uint8_t* rows) {
  for (std::int64_t i = 0; i < count; ++i, rows += p.k) {
    const float* corner = image + (first + i) / p.columns * p.patch * p.x[3] + (first + i) % p.columns * p.patch;
    for (std::int64_t c = 0; c < p.x[1]; ++c) {
      quantize_rows(corner + c * p.x[2] * p.x[3], p.x[3], p.settings.input, rows + c * p.patch * p.patch, p.patch, p.patch, p.patch);
    }
  }
}

struct Memory {
  const float* images;
  const IntegerLayer::Packed* weight;
  const float* table;  // [T, D]
  float* y;
  std::byte* scratch;
};

void run(const Problem& p, const IntegerLayer& layer, const Memory& memory, std::size_t member_bytes, const Member& member) {
  std::byte* own = memory.scratch + static_cast<std::size_t>(member.index()) * member_bytes;
  const std::int64_t width = p.y[2];
  const Member::Part part = member.part(p.x[0] * p.bands);
  for (std::int64_t at = part.begin; at < part.end; ++at) {
    const std::int64_t n = at / p.bands, first = p.band_begin(at % p.bands);
    float* tokens = memory.y + n * p.y[1] * width;
    if (first == 0) std::memcpy(tokens, memory.table, static_cast<std::size_t>(p.prefix * width) * sizeof(float));
    auto* patches = reinterpret_cast<std::uint8_t*>(own);
    IntegerLayer::Rows rows;
    rows.count = p.band_begin(at % p.bands + 1) - first;
    rows.x = patches;
    rows.residual = memory.table + (p.prefix + first) * width;
    rows.y = reinterpret_cast<std::byte*>(tokens + (p.prefix + first) * width);
    rows.scratch = own + member_bytes - aligned(layer.scratch_bytes());
    quantize_patches(p, memory.images + n * p.x[1] * p.x[2] * p.x[3], first, rows.count, patches);
    layer.run(*memory.weight, rows);
  }
}

}  // namespace

Offer quantized_patch_embed_tile(const CallSite& site) {
  for (std::size_t i = 1; i < site.inputs.size(); ++i) {
    if (!site.constant(i)) return Offer::refuse("the weights and tokens are not known when the plan is made");
  }
  const Problem problem = problem_of(site);
  const IntegerLayer layer = layer_of(problem, site.machine);
  const std::size_t member_bytes = aligned(static_cast<std::size_t>(problem.most_rows() * problem.k)) + aligned(layer.scratch_bytes());
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=, packs = site.packs] {
        using Quantized = QuantizedPatchEmbed;
        const Tensor flat = constants[1].reshaped({problem.y[2], problem.k});
        const Tensor bias = problem.settings.layout.has_bias ? constants[Quantized::kBias] : Tensor();
        const auto weight = std::make_shared<const IntegerLayer::Packed>(layer.pack(flat, constants[Quantized::kScale], bias, *packs));
        const Tensor table = quantized_patch_embed_table(problem.settings, constants, problem.y[1], problem.y[2]);
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const Memory memory{reinterpret_cast<const float*>(input_bytes(buffers, constants, 0)), weight.get(), table.as<float>().data(),
                                                    reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
                                return [=, keep = std::pair(weight, table)](const Member& member) { run(problem, layer, memory, member_bytes, member); };
                              },
                              weight->bytes() + table.bytes()};
      },
      member_bytes * static_cast<std::size_t>(site.threads));
  offer.detail = layer.detail();
  offer.effective = DType::s8;
  return offer;
}

}  // namespace edgelab::kernels
