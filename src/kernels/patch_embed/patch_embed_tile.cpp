#include <algorithm>
#include <cstring>

#include "kernels/aligned.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/tile_gemm/column_blocks.hpp"

namespace edgelab::kernels {
namespace {

// Rows of a band: with K = 768 in f32 they take 300 KiB of L2, a block of the weight 192 KiB.
constexpr std::int64_t kBandRows = 100;

// Images are cut into the same bands, so that a band is rows of one image and few heights occur.
struct Problem {
  Shape x, y;
  std::int64_t patch = 0, columns = 0, patches = 0, prefix = 0, bands = 0, k = 0;
  DType compute = DType::f32;

  std::int64_t band_begin(std::int64_t band) const { return patches * band / bands; }
  std::int64_t row_bytes() const { return k * static_cast<std::int64_t>(size_of(compute)); }
};

Problem problem_of(const CallSite& site) {
  const PatchEmbed& settings = *site.op.as<PatchEmbed>();
  Problem p;
  p.x = site.inputs[0].shape;
  p.y = site.outputs[0].shape;
  p.patch = site.inputs[1].shape[2];
  p.columns = p.x[3] / p.patch;
  p.patches = p.x[2] / p.patch * p.columns;
  p.prefix = settings.prefix_tokens(site.inputs);
  p.k = p.x[1] * p.patch * p.patch;
  p.compute = settings.compute;
  p.bands = (p.patches + kBandRows - 1) / kBandRows;
  // Else members would have one band more or less than others.
  if (p.x[0] % site.threads != 0) p.bands = (p.bands + site.threads - 1) / site.threads * site.threads;
  p.bands = std::min(p.bands, p.patches);
  return p;
}

tile_gemm::ColumnBlocks blocks_of(const Problem& p, const Machine& machine) {
  tile_gemm::Settings product;
  product.m = 1;
  product.n = product.ldc = p.y[2];
  product.k = product.lda = p.k;
  product.a = product.b = p.compute;
  product.epilogue.residual = true;
  product.epilogue.residual_ld = p.y[2];
  std::vector<std::int64_t> heights = {p.patches / p.bands};
  if (p.patches % p.bands != 0) heights.push_back(heights.front() + 1);
  return {product, heights, machine};
}

// Patches first … first + count of one image [C, H, W] as rows [count, C·P·P].
void copy_patches(const Problem& p, const float* image, std::int64_t first, std::int64_t count, std::byte* rows) {
  for (std::int64_t i = 0; i < count; ++i, rows += p.row_bytes()) {
    const float* corner = image + (first + i) / p.columns * p.patch * p.x[3] + (first + i) % p.columns * p.patch;
    for (std::int64_t c = 0; c < p.x[1]; ++c) {
      const float* from = corner + c * p.x[2] * p.x[3];
      std::byte* to = rows + c * p.patch * p.patch * static_cast<std::int64_t>(size_of(p.compute));
      if (p.compute == DType::bf16) {
        round_rows(from, p.x[3], reinterpret_cast<std::uint16_t*>(to), p.patch, p.patch, p.patch);
        continue;
      }
      for (std::int64_t u = 0; u < p.patch; ++u) {
        std::memcpy(reinterpret_cast<float*>(to) + u * p.patch, from + u * p.x[3], static_cast<std::size_t>(p.patch) * sizeof(float));
      }
    }
  }
}

struct Memory {
  const float* images;
  const std::byte* weight;
  const float* table;  // [T, D]
  float* y;
  std::byte* scratch;
};

void run(const Problem& p, const tile_gemm::ColumnBlocks& blocks, const Memory& memory, std::size_t member_bytes, const Member& member) {
  std::byte* own = memory.scratch + static_cast<std::size_t>(member.index()) * member_bytes;
  const std::int64_t width = p.y[2];
  const Member::Part part = member.part(p.x[0] * p.bands);
  for (std::int64_t at = part.begin; at < part.end; ++at) {
    const std::int64_t n = at / p.bands, first = p.band_begin(at % p.bands), count = p.band_begin(at % p.bands + 1) - first;
    float* tokens = memory.y + n * p.y[1] * width;
    if (first == 0) std::memcpy(tokens, memory.table, static_cast<std::size_t>(p.prefix * width) * sizeof(float));
    copy_patches(p, memory.images + n * p.x[1] * p.x[2] * p.x[3], first, count, own);
    tile_gemm::Arguments arguments;
    arguments.a = own;
    arguments.packed_b = memory.weight;
    arguments.c = tokens + (p.prefix + first) * width;
    arguments.residual = memory.table + (p.prefix + first) * width;
    arguments.scratch = own + member_bytes - aligned(blocks.scratch_bytes());
    blocks.run(count, arguments);
  }
}

}  // namespace

Offer patch_embed_tile(const CallSite& site) {
  for (std::size_t i = 1; i < site.inputs.size(); ++i) {
    if (!site.constant(i)) return Offer::refuse("the weights and tokens are not known when the plan is made");
  }
  const PatchEmbed settings = *site.op.as<PatchEmbed>();
  const Problem problem = problem_of(site);
  const tile_gemm::ColumnBlocks blocks = blocks_of(problem, site.machine);
  const auto most = (problem.patches + problem.bands - 1) / problem.bands;
  const std::size_t member_bytes = aligned(static_cast<std::size_t>(most * problem.row_bytes())) + aligned(blocks.scratch_bytes());
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=, packs = site.packs] {
        const Tensor flat = constants[1].reshaped({problem.y[2], problem.k});
        const tile_gemm::PackedWeight weight = tile_gemm::pack_weight(flat, settings.compute, problem.k, blocks, blocks, *packs);
        const Tensor table = patch_embed_table(settings, constants, problem.y[1], problem.y[2]);
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const Memory memory{reinterpret_cast<const float*>(input_bytes(buffers, constants, 0)), weight.bytes.data(),
                                                    table.as<float>().data(), reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
                                return [=, keep = std::pair(weight, table)](const Member& member) { run(problem, blocks, memory, member_bytes, member); };
                              },
                              weight.bytes.bytes() + table.bytes()};
      },
      member_bytes * static_cast<std::size_t>(site.threads));
  offer.detail = tile_gemm::describe(blocks.implementation(), settings.compute, site.machine);
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
