// FlashAttention, forward (Dao et al. 2022; the running maximum after Milakov and Gimelshein 2018). Work is cut into bands of
// queries of one head; each member of the team takes its share of the bands and packs for itself the keys and values of the
// heads that it meets. Packing is one part in a few hundred of the work, so that sharing it would save less than a barrier
// costs.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/attention/flash_tiles.hpp"
#include "kernels/attention/softmax_rows.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"

namespace edgelab::kernels {
namespace {

using flash::block_size;
using flash::blocks_of;
using flash::ProductSet;
using tile_gemm::Settings;

struct Operands {
  const std::byte* qkv;
  const float* bias;
  std::byte* y;
  float* log_sum_exp;  // or null
  std::byte* scratch;
};

class FlashForward {
 public:
  explicit FlashForward(const AttentionProblem& problem)
      : p_(problem), tiling_(flash::tiling_of(problem)), rows_(softmax_rows()), score_ld_((tiling_.keys + 15) / 16 * 16) {
    make_products();
    lay_out_scratch();
  }

  std::size_t member_bytes() const { return member_bytes_; }
  const flash::Tiling& tiling() const { return tiling_; }

  void run(const Operands& o, const Member& member) const {
    const std::int64_t bands = blocks_of(p_.queries, tiling_.band);
    const Member::Part part = member.part(p_.samples * p_.heads * bands);
    Own own(*this, o, member);
    std::int64_t packed = -1;
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const std::int64_t head = i / bands;
      if (head != packed) pack_head(own, packed = head);
      run_band(own, head, spread(i % bands, bands));
    }
  }

 private:
  // A member's view of the call: pointers into its scratch.
  struct Own {
    Own(const FlashForward& f, const Operands& operands, const Member& member) : o(operands) {
      std::byte* base = o.scratch + static_cast<std::size_t>(member.index()) * f.member_bytes_;
      keys = base + f.at_keys_, values = base + f.at_values_, queries = base + f.at_queries_, rounded = base + f.at_rounded_, gemm = base + f.at_gemm_;
      scores = reinterpret_cast<float*>(base + f.at_scores_);
      output = reinterpret_cast<float*>(base + f.at_output_);
      maximum = reinterpret_cast<float*>(base + f.at_maximum_);
      sum = reinterpret_cast<float*>(base + f.at_sum_);
    }
    const Operands& o;
    std::byte *keys, *values, *queries, *rounded, *gemm;
    float *scores, *output, *maximum, *sum;
  };

  bool narrow() const { return p_.compute == DType::bf16; }
  // bf16 products of an f32 input: its operands are rounded into scratch first.
  bool rounds() const { return narrow() && p_.type == DType::f32; }
  std::int64_t sample_of(std::int64_t head) const { return head / p_.heads; }
  std::int64_t keys_of(std::int64_t row) const { return p_.keys_of(p_.first_query + row); }

  // With a mask the last bands have most to do. Taking them from both ends by turns, each contiguous share has as much.
  std::int64_t spread(std::int64_t i, std::int64_t bands) const {
    if (!p_.causal) return i;
    return i % 2 == 0 ? i / 2 : bands - 1 - i / 2;
  }

  void make_products() {
    const auto rows = ProductSet::Sizes::of(p_.queries, tiling_.rows), keys = ProductSet::Sizes::of(p_.tokens, tiling_.keys);
    Settings score;
    score.a = score.b = p_.compute;
    score.k = p_.head_width;
    score.lda = p_.head_width;
    score.ldc = score_ld_;
    score_.make(score, rows, &Settings::n, keys);
    Settings weigh;
    weigh.a = weigh.b = p_.compute;
    weigh.n = weigh.ldc = p_.head_width;
    weigh.lda = narrow() ? 2 * score_ld_ : score_ld_;
    weigh_first_.make(weigh, rows, &Settings::k, keys);
    weigh.accumulate = true;
    if (!tiling_.one_pass(p_.tokens)) weigh_.make(weigh, rows, &Settings::k, keys);
  }

  void lay_out_scratch() {
    const auto floats = [](std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); };
    const auto blocks = static_cast<std::size_t>(blocks_of(p_.tokens, tiling_.keys));
    flash::ScratchLayout layout;
    at_scores_ = layout.take(floats(tiling_.rows * score_ld_));
    at_output_ = layout.take(floats(tiling_.band * p_.head_width));
    at_maximum_ = layout.take(floats(tiling_.band));
    at_sum_ = layout.take(floats(tiling_.band));
    at_gemm_ = layout.take(std::max({score_.scratch_bytes(), weigh_first_.scratch_bytes(), weigh_.scratch_bytes()}));
    at_queries_ = layout.take(static_cast<std::size_t>(tiling_.band * p_.head_width) * size_of(p_.compute));
    at_rounded_ = layout.take(rounds() ? floats(tiling_.keys * p_.head_width) / 2 : 0);
    at_keys_ = layout.take(blocks * score_.packed_bytes());
    at_values_ = layout.take(blocks * weigh_first_.packed_bytes());
    member_bytes_ = layout.size();
  }

  // Keys or values as they are packed: where they lie, or rounded into scratch.
  struct Rows {
    const void* data;
    std::int64_t ld;
  };
  Rows rows_of(const Own& own, std::int64_t head, std::int64_t first, std::int64_t count, int part) const {
    const std::int64_t at = p_.at(sample_of(head), first, part, head % p_.heads);
    if (!rounds()) return {element_at(own.o.qkv, p_.type, at), p_.qkv_ld()};
    auto* rounded = reinterpret_cast<std::uint16_t*>(own.rounded);
    round_rows(reinterpret_cast<const float*>(own.o.qkv) + at, p_.qkv_ld(), rounded, p_.head_width, count, p_.head_width);
    return {rounded, p_.head_width};
  }

  // A band's queries, one after the other: where they lie they are 3·D apart, often a multiple of so many cache lines that
  // they share a few sets of L1 and push each other out.
  void gather_queries(const Own& own, std::int64_t head, std::int64_t first, std::int64_t count) const {
    const std::int64_t at = p_.at(sample_of(head), p_.first_query + first, 0, head % p_.heads);
    if (rounds()) {
      round_rows(reinterpret_cast<const float*>(own.o.qkv) + at, p_.qkv_ld(), reinterpret_cast<std::uint16_t*>(own.queries), p_.head_width, count,
                  p_.head_width);
      return;
    }
    const auto bytes = static_cast<std::size_t>(p_.head_width) * size_of(p_.type);
    for (std::int64_t row = 0; row < count; ++row) {
      std::memcpy(own.queries + static_cast<std::size_t>(row) * bytes, element_at(own.o.qkv, p_.type, at + row * p_.qkv_ld()), bytes);
    }
  }

  void pack_head(const Own& own, std::int64_t head) const {
    for (std::int64_t block = 0; block < blocks_of(p_.tokens, tiling_.keys); ++block) {
      const std::int64_t first = block * tiling_.keys, count = block_size(p_.tokens, tiling_.keys, block);
      const Rows keys = rows_of(own, head, first, count, 1);
      score_.any(count).pack({keys.data, keys.ld, true}, own.keys + static_cast<std::size_t>(block) * score_.packed_bytes());
      const Rows values = rows_of(own, head, first, count, 2);
      weigh_first_.any(count).pack({values.data, values.ld, false}, own.values + static_cast<std::size_t>(block) * weigh_first_.packed_bytes());
    }
  }

  // Queries are counted from the first that is computed.
  void run_band(const Own& own, std::int64_t head, std::int64_t band) const {
    const std::int64_t first = band * tiling_.band, count = block_size(p_.queries, tiling_.band, band);
    gather_queries(own, head, first, count);
    const std::int64_t keys = keys_of(first + count - 1);  // that any query of the band sees
    for (std::int64_t block = 0; block * tiling_.keys < keys; ++block) {
      for (std::int64_t row = 0; row < count; row += tiling_.rows) {
        const std::int64_t rows = std::min(tiling_.rows, count - row);
        if (block * tiling_.keys < keys_of(first + row + rows - 1)) run_tile(own, head, first, row, rows, block);
      }
    }
    finish(own, head, first, count);
  }

  // Queries first + row … against one block of keys.
  void run_tile(const Own& own, std::int64_t head, std::int64_t first, std::int64_t row, std::int64_t rows, std::int64_t block) const {
    const std::int64_t first_key = block * tiling_.keys, keys = block_size(p_.tokens, tiling_.keys, block);
    tile_gemm::Arguments product;
    product.a = element_at(own.queries, p_.compute, row * p_.head_width);
    product.packed_b = own.keys + static_cast<std::size_t>(block) * score_.packed_bytes();
    product.c = own.scores;
    product.scratch = own.gemm;
    score_.of(rows, keys).run(product);

    ScoreTile tile;
    tile.scores = own.scores;
    tile.ld = score_ld_;
    tile.rows = rows;
    tile.columns = keys;
    tile.factor = static_cast<float>(p_.scale * std::log2(std::exp(1.0)));
    if (p_.has_bias) tile.bias = own.o.bias + p_.bias_at(sample_of(head), head % p_.heads, p_.first_query + first + row) + first_key;
    tile.bias_ld = p_.tokens;
    tile.visible = p_.causal ? p_.first_query + first + row + 1 - first_key : keys;
    tile.first = block == 0;
    tile.maximum = own.maximum + row;
    tile.sum = own.sum + row;
    tile.output = own.output + row * p_.head_width;
    tile.output_ld = tile.head_width = p_.head_width;
    tile.narrow = narrow();
    rows_.probabilities(tile);

    product.a = own.scores;
    product.packed_b = own.values + static_cast<std::size_t>(block) * weigh_first_.packed_bytes();
    product.c = tile.output;
    (block == 0 ? weigh_first_ : weigh_).of(rows, keys).run(product);
  }

  void finish(const Own& own, std::int64_t head, std::int64_t first, std::int64_t count) const {
    OutputTile tile;
    tile.output = own.output;
    tile.output_ld = tile.head_width = p_.head_width;
    tile.rows = count;
    tile.sum = own.sum;
    tile.y = element_at(own.o.y, p_.type, p_.output_at(sample_of(head), first, head % p_.heads));
    tile.y_ld = p_.width();
    tile.narrow = p_.type == DType::bf16;
    rows_.divide(tile);
    if (own.o.log_sum_exp == nullptr) return;
    float* log_sum_exp = own.o.log_sum_exp + p_.row_at(0, head, first);
    for (std::int64_t row = 0; row < count; ++row) {
      const double log2_sum = std::log2(static_cast<double>(own.sum[row]));
      log_sum_exp[row] = static_cast<float>((static_cast<double>(own.maximum[row]) + log2_sum) * std::log(2.0));
    }
  }

  AttentionProblem p_;
  flash::Tiling tiling_;
  SoftmaxRows rows_;
  std::int64_t score_ld_;
  ProductSet score_, weigh_first_, weigh_;
  std::size_t at_scores_ = 0, at_output_ = 0, at_maximum_ = 0, at_sum_ = 0, at_gemm_ = 0, at_queries_ = 0, at_rounded_ = 0, at_keys_ = 0, at_values_ = 0;
  std::size_t member_bytes_ = 0;
};

Offer offer_of(const CallSite& site, const AttentionProblem& problem, Attention::Algorithm algorithm) {
  if (algorithm == Attention::Algorithm::naive) return Offer::refuse("naive attention was asked for");
  if (!(problem.scale > 0)) return Offer::refuse("its running maximum needs a scale above zero");
  if (problem.head_width > 512) return Offer::refuse("heads wider than 512 leave no room for tiles in L1");
  const auto flash = std::make_shared<const FlashForward>(problem);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const Operands operands{input_bytes(buffers, constants, 0),
                                  problem.has_bias ? reinterpret_cast<const float*>(input_bytes(buffers, constants, 1)) : nullptr, buffers.outputs[0],
                                  buffers.outputs.size() > 1 ? reinterpret_cast<float*>(buffers.outputs[1]) : nullptr, buffers.scratch};
          return [=](const Member& member) { flash->run(operands, member); };
        }};
      },
      static_cast<std::size_t>(site.threads) * flash->member_bytes());
  offer.effective = problem.compute;
  const flash::Tiling& tiling = flash->tiling();
  offer.detail = tiling.one_pass(problem.tokens) ? "one pass, " + std::to_string(tiling.rows) + " queries a tile"
                                                 : std::to_string(tiling.rows) + "x" + std::to_string(tiling.keys) + " tiles";
  return offer;
}

}  // namespace

Offer attention_flash(const CallSite& site) {
  const auto& settings = *site.op.as<Attention>();
  return offer_of(site, attention_problem(settings, site.inputs), settings.algorithm);
}

Offer attention_rows_flash(const CallSite& site) {
  const auto& settings = *site.op.as<AttentionRows>();
  return offer_of(site, attention_problem(settings, site.inputs), settings.attention.algorithm);
}

}  // namespace edgelab::kernels
