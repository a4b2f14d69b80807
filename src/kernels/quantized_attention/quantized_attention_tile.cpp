// Attention in integers, tile by tile. Work is cut into bands of queries of one head, as in flash attention; each member of the
// team takes its share of them and packs for itself the keys and values of the heads that it meets.
//
// While a row of scores fits into the cache there is one pass. Beyond, keys go by twice: once for the maximum of each row, once for
// the weights. A running maximum would rescale what is summed already, in f32 and by an order that depends on the tiles; making
// scores of integers again costs a third more products, and all sums stay exact.
#include <algorithm>
#include <cstring>

#include "kernels/attention/flash_tiles.hpp"
#include "kernels/quantized_attention/integer_softmax.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"

namespace edgelab::kernels {
namespace {

using flash::block_size;
using flash::blocks_of;
using flash::ProductSet;

constexpr std::int64_t kRows = 36;        // queries of a band, a whole number of the microkernels' 6; their scores and weights fit into L1
constexpr std::int64_t kOnePass = 1024;   // tokens
constexpr std::int64_t kKeys = 512;       // of a tile, where there are several
constexpr std::int64_t kKeyMultiple = 4;  // what one instruction multiplies by at once along the keys; the rest is zeros

std::int64_t padded(std::int64_t keys) { return (keys + kKeyMultiple - 1) / kKeyMultiple * kKeyMultiple; }

struct Operands {
  const std::uint8_t* qkv;
  std::byte* y;
  std::byte* scratch;
};

class TileAttention {
 public:
  TileAttention(const QuantizedAttention& settings, const Shape& qkv)
      : settings_(settings),
        samples_(qkv[0]),
        tokens_(qkv[1]),
        queries_(settings.rows_of(qkv[1])),
        width_(qkv[2] / 3),
        head_width_(width_ / settings.heads),
        rows_(std::min(kRows, queries_)),
        keys_(tokens_ <= kOnePass ? tokens_ : kKeys),
        score_ld_((keys_ + 15) / 16 * 16) {
    make_products();
    lay_out_scratch();
  }

  std::size_t member_bytes() const { return member_bytes_; }
  bool one_pass() const { return keys_ >= tokens_; }

  void run(const Operands& operands, const Member& member) const {
    const std::int64_t bands = blocks_of(queries_, rows_);
    const Member::Part part = member.part(samples_ * settings_.heads * bands);
    const Own own(*this, operands, member);
    std::int64_t packed = -1;
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const std::int64_t head = i / bands;
      if (head != packed) pack_head(own, packed = head);
      run_band(own, head, i % bands * rows_, block_size(queries_, rows_, i % bands));
    }
  }

 private:
  // A member's view of the call: pointers into its scratch.
  struct Own {
    Own(const TileAttention& a, const Operands& operands, const Member& member) : o(operands) {
      std::byte* base = o.scratch + static_cast<std::size_t>(member.index()) * a.member_bytes_;
      const auto whole = [&](std::size_t at) { return reinterpret_cast<std::int32_t*>(base + at); };
      keys = base + a.at_keys_, values = base + a.at_values_, gemm = base + a.at_gemm_;
      centered = reinterpret_cast<std::int8_t*>(base + a.at_centered_);
      weights = reinterpret_cast<std::uint8_t*>(base + a.at_weights_);
      scores = whole(a.at_scores_), sums = whole(a.at_sums_), key_terms = whole(a.at_key_terms_);
    }
    const Operands& o;
    std::byte *keys, *values, *gemm;
    std::int8_t* centered;
    std::uint8_t* weights;
    std::int32_t *scores, *sums, *key_terms;
  };

  std::int64_t blocks() const { return blocks_of(tokens_, keys_); }
  // Queries (part 0), keys (1) or values (2) of a head, from a token on.
  std::int64_t at(std::int64_t head, std::int64_t token, int part) const {
    return (head / settings_.heads * tokens_ + token) * 3 * width_ + part * width_ + head % settings_.heads * head_width_;
  }

  void make_products() {
    const auto rows = ProductSet::Sizes::of(queries_, rows_);
    tile_gemm::Settings score;
    score.a = DType::u8;
    score.b = DType::s8;
    score.c = DType::s32;
    score.k = head_width_;
    score.lda = 3 * width_;
    score.ldc = score_ld_;
    score_.make(score, rows, &tile_gemm::Settings::n, ProductSet::Sizes::of(tokens_, keys_));
    tile_gemm::Settings weigh = score;
    weigh.n = weigh.ldc = head_width_;
    weigh.lda = padded(keys_);
    const auto keys = ProductSet::Sizes::of(one_pass() ? padded(tokens_) : (blocks() - 1) * keys_ + padded(tokens_ - (blocks() - 1) * keys_), padded(keys_));
    weigh_first_.make(weigh, rows, &tile_gemm::Settings::k, keys);
    weigh.accumulate = true;
    if (!one_pass()) weigh_.make(weigh, rows, &tile_gemm::Settings::k, keys);
  }

  void lay_out_scratch() {
    const auto count = static_cast<std::size_t>(blocks());
    const auto bytes = [](std::int64_t numbers, std::size_t each) { return static_cast<std::size_t>(numbers) * each; };
    flash::ScratchLayout layout;
    at_scores_ = layout.take(bytes(rows_ * score_ld_, sizeof(std::int32_t)));
    at_weights_ = layout.take(bytes(rows_, 1) * bytes(padded(keys_), 1));
    at_sums_ = layout.take(bytes(rows_ * head_width_, sizeof(std::int32_t)));
    at_gemm_ = layout.take(std::max({score_.scratch_bytes(), weigh_first_.scratch_bytes(), weigh_.scratch_bytes()}));
    at_centered_ = layout.take(bytes(padded(keys_) * head_width_, 1));
    at_key_terms_ = layout.take(bytes(tokens_, sizeof(std::int32_t)));
    at_keys_ = layout.take(count * score_.packed_bytes());
    at_values_ = layout.take(count * weigh_first_.packed_bytes());
    member_bytes_ = layout.size();
  }

  void pack_head(const Own& own, std::int64_t head) const {
    for (std::int64_t block = 0; block < blocks(); ++block) {
      const std::int64_t first = block * keys_, count = block_size(tokens_, keys_, block);
      CenteredRows rows{own.o.qkv + at(head, first, 1), 3 * width_, count, head_width_, own.centered, own.key_terms + first};
      center_rows(rows);
      // Σ_d (q − z)·k' = Σ_d q·k' − z·Σ_d k'
      for (std::int64_t i = 0; i < count; ++i) rows.sums[i] *= -settings_.queries.zero_point;
      score_.any(count).pack({own.centered, head_width_, true}, own.keys + static_cast<std::size_t>(block) * score_.packed_bytes());
      rows.from = own.o.qkv + at(head, first, 2);
      rows.sums = nullptr;
      center_rows(rows);
      std::memset(own.centered + count * head_width_, 0, static_cast<std::size_t>((padded(count) - count) * head_width_));
      weigh_first_.any(padded(count)).pack({own.centered, head_width_, false}, own.values + static_cast<std::size_t>(block) * weigh_first_.packed_bytes());
    }
  }

  IntegerScores score(const Own& own, std::int64_t head, std::int64_t first, std::int64_t rows, std::int64_t block) const {
    const std::int64_t keys = block_size(tokens_, keys_, block);
    tile_gemm::Arguments product;
    product.a = own.o.qkv + at(head, settings_.first_query + first, 0);
    product.packed_b = own.keys + static_cast<std::size_t>(block) * score_.packed_bytes();
    product.c = own.scores;
    product.scratch = own.gemm;
    score_.of(rows, keys).run(product);
    return {own.scores, score_ld_, own.key_terms + block * keys_, rows, keys};
  }

  void weigh(const Own& own, const IntegerScores& tile, const std::int32_t* maximum, std::int32_t* total, std::int64_t block) const {
    const std::int64_t keys = padded(tile.columns);
    weigh_scores(tile, maximum, settings_.factor(width_), own.weights, padded(keys_), keys, total);
    tile_gemm::Arguments product;
    product.a = own.weights;
    product.packed_b = own.values + static_cast<std::size_t>(block) * weigh_first_.packed_bytes();
    product.c = own.sums;
    product.scratch = own.gemm;
    (block == 0 ? weigh_first_ : weigh_).of(tile.rows, keys).run(product);
  }

  void run_band(const Own& own, std::int64_t head, std::int64_t first, std::int64_t rows) const {
    std::int32_t maximum[kRows] = {}, total[kRows] = {};
    for (std::int64_t block = 0; block < blocks(); ++block) {
      const IntegerScores tile = score(own, head, first, rows, block);
      raise_maxima(tile, block == 0, maximum);
      if (one_pass()) weigh(own, tile, maximum, total, block);
    }
    for (std::int64_t block = 0; !one_pass() && block < blocks(); ++block) weigh(own, score(own, head, first, rows, block), maximum, total, block);
    float factor[kRows];
    std::int32_t term[kRows];
    for (std::int64_t row = 0; row < rows; ++row) {
      factor[row] = settings_.ratio() / static_cast<float>(total[row]);
      term[row] = (128 - settings_.values.zero_point) * total[row];
    }
    const std::int64_t y = (head / settings_.heads * queries_ + first) * width_ + head % settings_.heads * head_width_;
    const std::int64_t y_bytes = settings_.output ? 1 : static_cast<std::int64_t>(sizeof(float));
    const tile_gemm::Requantize bounds = settings_.output.value_or(U8Grid()).bounds();
    finish_values({own.sums, term, factor, rows, head_width_, own.o.y + y * y_bytes, width_, settings_.output ? &bounds : nullptr});
  }

  QuantizedAttention settings_;
  std::int64_t samples_, tokens_, queries_, width_, head_width_, rows_, keys_, score_ld_;
  ProductSet score_, weigh_first_, weigh_;
  std::size_t at_scores_ = 0, at_weights_ = 0, at_sums_ = 0, at_gemm_ = 0, at_centered_ = 0, at_key_terms_ = 0, at_keys_ = 0, at_values_ = 0;
  std::size_t member_bytes_ = 0;
};

}  // namespace

Offer quantized_attention_tile(const CallSite& site) {
  const TileAttention attention(*site.op.as<QuantizedAttention>(), site.inputs[0].shape);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const Operands operands{reinterpret_cast<const std::uint8_t*>(input_bytes(buffers, constants, 0)), buffers.outputs[0], buffers.scratch};
          return [=, keep = constants](const Member& member) { attention.run(operands, member); };
        }};
      },
      attention.member_bytes() * static_cast<std::size_t>(site.threads));
  offer.detail = attention.one_pass() ? "one pass" : "two passes";
  offer.effective = DType::s8;
  return offer;
}

}  // namespace edgelab::kernels
