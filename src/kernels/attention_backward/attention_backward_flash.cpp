// FlashAttention, backward (Dao et al. 2022, algorithm 4): scores are made again tile by tile, from the log-sum-exp that the
// forward pass left. Tiles are transposed, Sᵀ = K Qᵀ: then Pᵀ and dSᵀ lie as the products for dV and dK read them, and that
// for dQ reads its tile the other way. Each member takes whole heads, so that no two add to the same gradient; with as many heads as
// training batches have, that deals out evenly.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/attention/flash_tiles.hpp"
#include "kernels/attention_backward/gradient_tiles.hpp"
#include "kernels/attention_backward/operands.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/tile_gemm/simd.hpp"

namespace edgelab::kernels {
namespace {

using flash::block_size;
using flash::blocks_of;
using flash::ProductSet;
using tile_gemm::Settings;

// Of a tile. Scores and their gradients then stay in L2, not in L1; but the fewer tiles, the less is done beside the products:
// at 197 tokens, which two blocks each way cut evenly, it took 0.93 of the time of tiles of 64 × 64 in bf16; in f32 the 0.99 is
// within the noise. (Of four sizes tried, one thread's processor time, the least of four runs by turns on a busy machine.)
constexpr std::int64_t kKeys = 102, kQueries = 112;
constexpr std::int64_t kLd = kQueries;  // whole vectors

std::size_t float_bytes(std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); }

class FlashBackward {
 public:
  explicit FlashBackward(const AttentionProblem& problem)
      : p_(problem), tiles_(gradient_tiles()), simd_(tile_gemm::best_simd_target()) {
    make_products();
    lay_out_scratch();
  }

  std::size_t member_bytes() const { return member_bytes_; }

  void run(const BackwardOperands& o, const Member& member) const {
    const Member::Part part = member.part(p_.samples * p_.heads);
    const Own own(*this, o, o.scratch + static_cast<std::size_t>(member.index()) * member_bytes_);
    for (std::int64_t head = part.begin; head < part.end; ++head) differentiate_head(own, head);
  }

 private:
  // Where a member's pieces begin in its scratch.
  struct Places {
    std::size_t scores = 0, gradients = 0, pairs = 0, bias = 0, delta = 0, shift = 0, queries = 0, keys = 0, values = 0, gemm = 0, rounded = 0;
    std::size_t key_rows = 0, value_rows = 0;  // rounded, for a whole head
    std::size_t packed_queries = 0, packed_gradients = 0, plain_queries = 0, plain_gradients = 0, plain_keys = 0;
  };
  struct Own {
    Own(const FlashBackward& f, const BackwardOperands& operands, std::byte* base_of) : o(operands), base(base_of), at(f.at_) {}
    float* floats(std::size_t place) const { return reinterpret_cast<float*>(base + place); }
    std::uint16_t* halves(std::size_t place) const { return reinterpret_cast<std::uint16_t*>(base + place); }
    const BackwardOperands& o;
    std::byte* base;
    const Places& at;
  };
  struct Rows {
    const void* data;
    std::int64_t ld;
  };

  bool narrow() const { return p_.compute == DType::bf16; }
  bool rounds() const { return narrow() && p_.type == DType::f32; }
  std::int64_t sample_of(std::int64_t head) const { return head / p_.heads; }
  std::int64_t index_of(std::int64_t head) const { return head % p_.heads; }

  void make_products() {
    const auto keys = ProductSet::Sizes::of(p_.tokens, kKeys), queries = ProductSet::Sizes::of(p_.tokens, kQueries);
    Settings score;  // Sᵀ = K Qᵀ and dPᵀ = V dOᵀ
    score.a = score.b = p_.compute;
    score.k = p_.head_width;
    score.lda = rounds() ? p_.head_width : p_.qkv_ld();
    score.ldc = kLd;
    score_.make(score, keys, &Settings::n, queries);
    Settings sum;  // dV += Pᵀ dO and dK += dSᵀ Q
    sum.a = sum.b = p_.compute;
    sum.n = sum.ldc = p_.head_width;
    sum.lda = narrow() ? 2 * kLd : kLd;
    sum.accumulate = true;
    key_sum_.make(sum, keys, &Settings::k, queries);
    sum.transposed_a = true;
    sum.lda = kLd;
    query_sum_.make(sum, queries, &Settings::k, keys);  // dQ += dS K
  }

  void lay_out_scratch() {
    const auto key_blocks = static_cast<std::size_t>(blocks_of(p_.tokens, kKeys)), query_blocks = static_cast<std::size_t>(blocks_of(p_.tokens, kQueries));
    flash::ScratchLayout layout;
    at_.scores = layout.take(float_bytes(kKeys * kLd));
    at_.gradients = layout.take(float_bytes(kKeys * kLd));
    at_.pairs = layout.take(narrow() ? float_bytes((kKeys + 1) / 2 * kLd) : 0);
    at_.bias = layout.take(p_.has_bias ? float_bytes(kKeys * kLd) : 0);
    at_.delta = layout.take(float_bytes(p_.tokens));
    at_.shift = layout.take(float_bytes(p_.tokens));
    at_.queries = layout.take(float_bytes(p_.tokens * p_.head_width));
    at_.keys = layout.take(float_bytes(kKeys * p_.head_width));
    at_.values = layout.take(float_bytes(kKeys * p_.head_width));
    at_.gemm = layout.take(std::max({score_.scratch_bytes(), key_sum_.scratch_bytes(), query_sum_.scratch_bytes()}));
    at_.rounded = layout.take(narrow() ? float_bytes(std::max(kKeys, kQueries) * p_.head_width) / 2 : 0);
    at_.key_rows = layout.take(rounds() ? float_bytes(p_.tokens * p_.head_width) / 2 : 0);
    at_.value_rows = layout.take(rounds() ? float_bytes(p_.tokens * p_.head_width) / 2 : 0);
    at_.packed_queries = layout.take(query_blocks * score_.packed_bytes());
    at_.packed_gradients = layout.take(query_blocks * score_.packed_bytes());
    at_.plain_queries = layout.take(query_blocks * key_sum_.packed_bytes());
    at_.plain_gradients = layout.take(query_blocks * key_sum_.packed_bytes());
    at_.plain_keys = layout.take(key_blocks * query_sum_.packed_bytes());
    member_bytes_ = layout.size();
  }

  // Rows of f32 as operands, where they lie or rounded to bf16 at `place`.
  Rows operand_rows(const Own& own, const float* from, std::int64_t ld, std::int64_t count, std::size_t place) const {
    if (!narrow()) return {from, ld};
    round_rows(from, ld, own.halves(place), p_.head_width, count, p_.head_width);
    return {own.base + place, p_.head_width};
  }
  Rows qkv_rows(const Own& own, std::int64_t head, std::int64_t first, std::int64_t count, int part, std::size_t place) const {
    const std::int64_t at = p_.at(sample_of(head), first, part, index_of(head));
    if (p_.type == DType::bf16) return {element_at(own.o.qkv, p_.type, at), p_.qkv_ld()};
    return operand_rows(own, reinterpret_cast<const float*>(own.o.qkv) + at, p_.qkv_ld(), count, place);
  }

  static std::byte* block_at(const Own& own, std::size_t place, std::int64_t block, const ProductSet& product) {
    return own.base + place + static_cast<std::size_t>(block) * product.packed_bytes();
  }

  void prepare_head(const Own& own, std::int64_t head, const Rows& all_keys) const {
    for (std::int64_t block = 0; block < blocks_of(p_.tokens, kQueries); ++block) {
      const std::int64_t first = block * kQueries, count = block_size(p_.tokens, kQueries, block);
      const Rows queries = qkv_rows(own, head, first, count, 0, own.at.rounded);
      score_.any(count).pack({queries.data, queries.ld, true}, block_at(own, own.at.packed_queries, block, score_));
      key_sum_.any(count).pack({queries.data, queries.ld, false}, block_at(own, own.at.plain_queries, block, key_sum_));
      const float* gradient = own.o.gradient + p_.output_at(sample_of(head), first, index_of(head));
      const Rows gradients = operand_rows(own, gradient, p_.width(), count, own.at.rounded);
      score_.any(count).pack({gradients.data, gradients.ld, true}, block_at(own, own.at.packed_gradients, block, score_));
      key_sum_.any(count).pack({gradients.data, gradients.ld, false}, block_at(own, own.at.plain_gradients, block, key_sum_));
    }
    for (std::int64_t block = 0; block < blocks_of(p_.tokens, kKeys); ++block) {
      const std::int64_t first = block * kKeys, count = block_size(p_.tokens, kKeys, block);
      const std::byte* keys = element_at(static_cast<const std::byte*>(all_keys.data), p_.compute, first * all_keys.ld);
      query_sum_.any(count).pack({keys, all_keys.ld, false}, block_at(own, own.at.plain_keys, block, query_sum_));
    }
    const std::int64_t first = p_.output_at(sample_of(head), 0, index_of(head));
    tiles_.row_products(own.o.gradient + first, element_at(own.o.output, p_.type, first), p_.type == DType::bf16, p_.width(), p_.tokens, p_.head_width,
                        own.floats(own.at.delta));
    const float* log_sum_exp = own.o.log_sum_exp + p_.row_at(0, head, 0);
    float* shift = own.floats(own.at.shift);
    for (std::int64_t token = 0; token < p_.tokens; ++token) {
      shift[token] = log_sum_exp[token] == -HUGE_VALF ? -HUGE_VALF : -log_sum_exp[token] * 1.44269504f;
    }
    std::memset(own.floats(own.at.queries), 0, float_bytes(p_.tokens * p_.head_width));
  }

  void differentiate_head(const Own& own, std::int64_t head) const {
    const Rows keys = qkv_rows(own, head, 0, p_.tokens, 1, own.at.key_rows), values = qkv_rows(own, head, 0, p_.tokens, 2, own.at.value_rows);
    prepare_head(own, head, keys);
    for (std::int64_t block = 0; block < blocks_of(p_.tokens, kKeys); ++block) {
      const std::int64_t first = block * kKeys, count = block_size(p_.tokens, kKeys, block);
      std::memset(own.floats(own.at.keys), 0, float_bytes(count * p_.head_width));
      std::memset(own.floats(own.at.values), 0, float_bytes(count * p_.head_width));
      const std::int64_t first_block = p_.causal ? first / kQueries : 0;  // those before see none of these keys
      for (std::int64_t queries = first_block; queries < blocks_of(p_.tokens, kQueries); ++queries) run_tile(own, head, keys, values, block, queries);
      const auto factor = static_cast<float>(p_.scale);
      store(own, own.at.keys, head, first, count, 1, factor);
      store(own, own.at.values, head, first, count, 2, 1.0f);
    }
    store(own, own.at.queries, head, 0, p_.tokens, 0, static_cast<float>(p_.scale));
  }

  void store(const Own& own, std::size_t place, std::int64_t head, std::int64_t first, std::int64_t count, int part, float factor) const {
    float* to = own.o.qkv_gradient + p_.at(sample_of(head), first, part, index_of(head));
    tiles_.copy_scaled(own.floats(place), p_.head_width, to, p_.qkv_ld(), count, p_.head_width, factor);
  }

  void multiply(const Own& own, const tile_gemm::Kernel& kernel, const void* a, const std::byte* packed_b, float* c) const {
    tile_gemm::Arguments arguments;
    arguments.a = a;
    arguments.packed_b = packed_b;
    arguments.c = c;
    arguments.scratch = own.base + own.at.gemm;
    kernel.run(arguments);
  }

  void run_tile(const Own& own, std::int64_t head, const Rows& key_rows, const Rows& value_rows, std::int64_t key_block, std::int64_t query_block) const {
    const std::int64_t first_key = key_block * kKeys, keys = block_size(p_.tokens, kKeys, key_block);
    const std::int64_t first_query = query_block * kQueries, queries = block_size(p_.tokens, kQueries, query_block);
    const auto row = [&](const Rows& rows) { return element_at(static_cast<const std::byte*>(rows.data), p_.compute, first_key * rows.ld); };
    float *scores = own.floats(own.at.scores), *gradients = own.floats(own.at.gradients), *pairs = own.floats(own.at.pairs);
    multiply(own, score_.of(keys, queries), row(key_rows), block_at(own, own.at.packed_queries, query_block, score_), scores);
    multiply(own, score_.of(keys, queries), row(value_rows), block_at(own, own.at.packed_gradients, query_block, score_), gradients);

    GradientTile tile;
    tile.scores = scores;
    tile.gradients = gradients;
    tile.ld = kLd;
    tile.keys = keys;
    tile.queries = queries;
    tile.factor = static_cast<float>(p_.scale * std::log2(std::exp(1.0)));
    tile.shift = own.floats(own.at.shift) + first_query;
    tile.delta = own.floats(own.at.delta) + first_query;
    if (p_.has_bias) {
      const float* bias = own.o.bias + p_.bias_at(sample_of(head), index_of(head), first_query) + first_key;
      turn(bias, p_.tokens, queries, keys, own.floats(own.at.bias));
      tile.bias = own.floats(own.at.bias);
    }
    tile.seen_from = p_.causal ? first_key - first_query : 1 - keys;
    tile.narrow = narrow();
    tiles_.differentiate(tile);

    if (narrow()) {
      simd_.pair(gradients, kLd, keys, queries, reinterpret_cast<std::uint32_t*>(pairs), kLd);
      round_rows(gradients, kLd, reinterpret_cast<std::uint16_t*>(gradients), 2 * kLd, keys, queries);
    }
    multiply(own, key_sum_.of(keys, queries), scores, block_at(own, own.at.plain_gradients, query_block, key_sum_), own.floats(own.at.values));
    multiply(own, key_sum_.of(keys, queries), gradients, block_at(own, own.at.plain_queries, query_block, key_sum_), own.floats(own.at.keys));
    multiply(own, query_sum_.of(queries, keys), narrow() ? pairs : gradients, block_at(own, own.at.plain_keys, key_block, query_sum_),
             own.floats(own.at.queries) + first_query * p_.head_width);
  }

  // to[column][row] = from[row][column], rows of `to` kLd apart: what packing does to a B that is given transposed.
  void turn(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* to) const {
    simd_.pack({{from, ld, true}, 1, columns, rows, kLd, reinterpret_cast<std::uint32_t*>(to)});
  }

  AttentionProblem p_;
  GradientTiles tiles_;
  tile_gemm::SimdTarget simd_;
  ProductSet score_, key_sum_, query_sum_;
  Places at_;
  std::size_t member_bytes_ = 0;
};

}  // namespace

Offer attention_backward_flash(const CallSite& site) {
  const AttentionProblem problem = backward_problem(site);
  if (!(problem.scale > 0)) return Offer::refuse("the forward pass that it belongs to needs a scale above zero");
  const auto flash = std::make_shared<const FlashBackward>(problem);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const BackwardOperands operands = backward_operands(buffers, constants);
          return [=](const Member& member) { flash->run(operands, member); };
        }};
      },
      static_cast<std::size_t>(site.threads) * flash->member_bytes());
  offer.effective = problem.compute;
  return offer;
}

}  // namespace edgelab::kernels
