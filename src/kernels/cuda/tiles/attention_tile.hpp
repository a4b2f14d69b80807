#pragma once

#include "kernels/cuda/tiles/fragments.hpp"

namespace edgelab::kernels::cuda {

// One block's part of attention (AttentionArguments): 64 queries of one head of one sample, by four warps of 16 queries each, over tiles
// of 64 keys (FlashAttention-2, Dao 2023). Block (x, y): the rows of y from 64 x on, of head y % heads of sample y / heads. Scores stay in
// the registers in which the first product leaves them and are an operand of the second one as they are: what key stands at which depth
// of that product is free, as long as the values are read in the same order.
template <Multiply kMultiply, int kHeadWidth> class AttentionTile {
  using Operand = fragment::Operand<kMultiply>;
  using Stored = typename Operand::Stored;

 public:
  static constexpr int kThreads = 128, kQueries = 64, kKeys = 64;
  static constexpr int kLd = kHeadWidth + Operand::kPadding;
  static constexpr int kSharedBytes = (kQueries + 2 * kKeys) * kLd * static_cast<int>(sizeof(Stored));

  template <class Block> EDGELAB_HOST_DEVICE static void run(Block& block, const AttentionArguments& p) {
    auto* q = reinterpret_cast<Stored*>(block.shared());
    Stored* k = q + kQueries * kLd;
    Stored* v = k + kKeys * kLd;
    const std::int64_t first_row = static_cast<std::int64_t>(block.x()) * kQueries, first_query = p.first_query + first_row;
    const std::int64_t sample = block.y() / p.heads, head = block.y() % p.heads;
    typename Block::template PerThread<State> state;
    typename Block::template PerThread<fragment::A> a;
    typename Block::template PerThread<fragment::B> b;
    block.each([&](int thread) {
      state[thread] = State{};
      for (int r = 0; r < 2; ++r) state[thread].highest[r] = -INFINITY;
      fill(p, q, sample, first_query, 0, head, thread);
    });
    const std::int64_t end = p.causal && first_query + kQueries < p.tokens ? first_query + kQueries : p.tokens;
    for (std::int64_t first_key = 0; first_key < end; first_key += kKeys) {
      block.each([&](int thread) {
        fill(p, k, sample, first_key, 1, head, thread);
        fill(p, v, sample, first_key, 2, head, thread);
        for (auto& tile : state[thread].scores) {
          for (float& score : tile) score = 0.0f;
        }
      });
      block.barrier();
      EDGELAB_UNROLL
      for (int depth = 0; depth < kHeadWidth; depth += Operand::kDepth) {
        block.each([&](int thread) { a[thread] = fragment::load_a<kMultiply>(thread % 32, q + thread / 32 * 16 * kLd + depth, kLd); });
        EDGELAB_UNROLL
        for (int j = 0; j < kKeys / 8; ++j) {
          block.each([&](int thread) { b[thread] = fragment::load_b<kMultiply>(thread % 32, k + j * 8 * kLd + depth, kLd); });
          block.template multiply<kMultiply>([&](int thread) { return state[thread].scores[j]; }, [&](int thread) { return &a[thread]; },
                                             [&](int thread) { return &b[thread]; });
        }
      }
      block.each([&](int thread) { mask(p, state[thread], first_query, first_key, thread); });
      block.template quad_maximum<2>([&](int thread) { return state[thread].tile_highest; });
      block.each([&](int thread) { exponentials(state[thread]); });
      block.template quad_sum<2>([&](int thread) { return state[thread].tile_total; });
      block.each([&](int thread) { add_totals(state[thread]); });
      EDGELAB_UNROLL
      for (int key = 0; key < kKeys; key += Operand::kDepth) {
        block.each([&](int thread) { a[thread] = probabilities(state[thread], key); });
        EDGELAB_UNROLL
        for (int j = 0; j < kHeadWidth / 8; ++j) {
          block.each([&](int thread) { b[thread] = values(v + key * kLd + j * 8, thread % 32); });
          block.template multiply<kMultiply>([&](int thread) { return state[thread].sums[j]; }, [&](int thread) { return &a[thread]; },
                                             [&](int thread) { return &b[thread]; });
        }
      }
      block.barrier();
    }
    block.each([&](int thread) { finish(p, state[thread], sample, head, first_row, thread); });
  }

 private:
  // Of one thread: its two rows are those of registers 0 and 2 of a fragment of C.
  struct State {
    float scores[kKeys / 8][4], sums[kHeadWidth / 8][4];
    float highest[2], total[2];
    float tile_highest[2], tile_total[2];
  };

  // part 0: queries, 1: keys, 2: values; zeros beyond the last token.
  EDGELAB_HOST_DEVICE static void fill(const AttentionArguments& p, Stored* to, std::int64_t sample, std::int64_t first, int part, std::int64_t head, int thread) {
    for (int at = thread; at < 64 * kHeadWidth; at += kThreads) {
      const int row = at / kHeadWidth, d = at % kHeadWidth;
      const std::int64_t from = (((sample * p.tokens + first + row) * 3 + part) * p.heads + head) * kHeadWidth + d;
      to[row * kLd + d] = Operand::stored(first + row < p.tokens ? load(p.qkv, from) : 0.0f);
    }
  }

  // Scales, takes out what a query must not see, and finds the highest of each row.
  EDGELAB_HOST_DEVICE static void mask(const AttentionArguments& p, State& own, std::int64_t first_query, std::int64_t first_key, int thread) {
    own.tile_highest[0] = own.tile_highest[1] = -INFINITY;
    EDGELAB_UNROLL
    for (int j = 0; j < kKeys / 8; ++j) {
      EDGELAB_UNROLL
      for (int r = 0; r < 4; ++r) {
        const std::int64_t key = first_key + 8 * j + fragment::c_column(thread % 32, r);
        const std::int64_t query = first_query + thread / 32 * 16 + fragment::c_row(thread % 32, r);
        const bool seen = key < p.tokens && (!p.causal || key <= query);
        own.scores[j][r] = seen ? own.scores[j][r] * p.scale : -INFINITY;
        own.tile_highest[r / 2] = fmaxf(own.tile_highest[r / 2], own.scores[j][r]);
      }
    }
  }

  EDGELAB_HOST_DEVICE static void exponentials(State& own) {
    EDGELAB_UNROLL
    for (int row = 0; row < 2; ++row) {
      const float highest = fmaxf(own.highest[row], own.tile_highest[row]);
      const float correction = own.highest[row] > -INFINITY ? expf(own.highest[row] - highest) : 0.0f;
      own.highest[row] = highest;
      own.total[row] *= correction;
      own.tile_total[row] = 0.0f;
      EDGELAB_UNROLL
      for (int j = 0; j < kHeadWidth / 8; ++j) {
        own.sums[j][2 * row] *= correction;
        own.sums[j][2 * row + 1] *= correction;
      }
      EDGELAB_UNROLL
      for (int j = 0; j < kKeys / 8; ++j) {
        EDGELAB_UNROLL
        for (int r = 2 * row; r < 2 * row + 2; ++r) {
          own.scores[j][r] = highest > -INFINITY ? expf(own.scores[j][r] - highest) : 0.0f;
          own.tile_total[row] += own.scores[j][r];
        }
      }
    }
  }

  EDGELAB_HOST_DEVICE static void add_totals(State& own) {
    for (int row = 0; row < 2; ++row) own.total[row] += own.tile_total[row];
  }

  // In bf16 two fragments of scores are one of A, register by register. In tf32 the thread has the columns 2 t and 2 t + 1 of C where A
  // wants t and t + 4: depth t of that product stands for key 2 t, depth t + 4 for key 2 t + 1; values() reads them so.
  EDGELAB_HOST_DEVICE static fragment::A probabilities(const State& own, int key) {
    fragment::A registers{};
    EDGELAB_UNROLL
    for (int i = 0; i < 4; ++i) {
      if constexpr (kMultiply == Multiply::bf16) {
        const float* from = own.scores[key / 8 + i / 2] + 2 * (i % 2);
        registers.high[i] = pair_of(to_bf16(from[0]), to_bf16(from[1]));
      } else {
        fragment::split<kMultiply>(own.scores[key / 8][2 * (i % 2) + i / 2], registers.high[i], registers.low[i]);
      }
    }
    return registers;
  }
  EDGELAB_HOST_DEVICE static fragment::B values(const Stored* v, int lane) {
    fragment::B registers{};
    const Stored* column = v + fragment::b_column(lane);
    EDGELAB_UNROLL
    for (int i = 0; i < 2; ++i) {
      if constexpr (kMultiply == Multiply::bf16) {
        const int key = fragment::b_row_bf16(lane, i);
        registers.high[i] = pair_of(column[key * kLd], column[(key + 1) * kLd]);
      } else {
        fragment::split<kMultiply>(column[(lane % 4 * 2 + i) * kLd], registers.high[i], registers.low[i]);
      }
    }
    return registers;
  }

  EDGELAB_HOST_DEVICE static void finish(const AttentionArguments& p, const State& own, std::int64_t sample, std::int64_t head, std::int64_t first_row, int thread) {
    const int lane = thread % 32;
    EDGELAB_UNROLL
    for (int row = 0; row < 2; ++row) {
      const std::int64_t y_row = first_row + thread / 32 * 16 + fragment::c_row(lane, 2 * row);
      if (y_row >= p.queries) continue;
      if (p.log_sum_exp != nullptr && lane % 4 == 0) {
        p.log_sum_exp[(sample * p.heads + head) * p.queries + y_row] = own.highest[row] + logf(own.total[row]);
      }
      EDGELAB_UNROLL
      for (int j = 0; j < kHeadWidth / 8; ++j) {
        EDGELAB_UNROLL
        for (int r = 2 * row; r < 2 * row + 2; ++r) {
          const std::int64_t at = ((sample * p.queries + y_row) * p.heads + head) * kHeadWidth + 8 * j + fragment::c_column(lane, r);
          store(p.y, at, own.sums[j][r] / own.total[row]);
        }
      }
    }
  }
};

}  // namespace edgelab::kernels::cuda
