#include <string>

#include "kernels/tile_gemm/implementations.hpp"

#if __has_include(<oneapi/dnnl/dnnl_ukernel.hpp>)
#include <oneapi/dnnl/dnnl_ukernel.hpp>
#endif

// The macro comes from oneDNN's own configuration: its builds for Arm, and those made without the experimental API, lack it.
#ifndef DNNL_EXPERIMENTAL_UKERNEL

namespace edgelab::kernels::tile_gemm {

std::optional<std::string> onednn_refuses(const Settings&, const Machine&) { return "this build of oneDNN has no microkernels"; }
Kernel make_onednn(const Settings&) { return {}; }
void release_thread() noexcept {}

}  // namespace edgelab::kernels::tile_gemm

#else

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "core/tensor.hpp"
#include "kernels/tile_gemm/simd.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

namespace ukernel = dnnl::ukernel;
using dnnl::memory;

// Columns of a block of B. Four AVX-512 vectors; a wider row of B would only spread its loads over more cache sets.
constexpr std::int64_t kBlock = 64;
// The microkernel reads packed B in whole vectors.
constexpr std::int64_t kWidthMultiple = 16;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

memory::data_type type_of(DType type) {
  switch (type) {
    case DType::f32: return memory::data_type::f32;
    case DType::bf16: return memory::data_type::bf16;
    case DType::s8: return memory::data_type::s8;
    case DType::u8: return memory::data_type::u8;
    case DType::s32: return memory::data_type::s32;
    default: return memory::data_type::undef;
  }
}

const std::byte* at(const void* base, DType type, std::int64_t index) {
  return static_cast<const std::byte*>(base) + index * static_cast<std::int64_t>(size_of(type));
}

// Where the microkernel leaves its sums.
enum class Sums : std::uint8_t {
  c,        // in C: no epilogue, or one that can run over C in place
  scratch,  // C has another type, or may be the residual that is yet to be read
};

struct State {
  Settings settings;
  std::int64_t group = 1;  // elements of B along K that lie side by side
  std::int64_t full_blocks = 0;
  std::int64_t tail_columns = 0, tail_width = 0;
  std::int64_t packed_bytes = 0;
  std::int64_t own_scratch = 0;  // bytes of the microkernel's own scratch, before the sums
  ukernel::brgemm full, tail;
  std::vector<memory::dim> offsets;  // bytes to A_b and B_b, in pairs
  Sums sums = Sums::c;
  bool finish = false;
  SimdTarget simd;  // for the epilogue
  bool amx = false;

  std::int64_t rows() const { return (settings.k + group - 1) / group; }
  std::int64_t block_bytes(std::int64_t width) const { return rows() * width * group * static_cast<std::int64_t>(size_of(settings.b)); }
  std::int64_t sums_ld() const { return sums == Sums::c ? settings.ldc : kBlock; }
  std::int64_t scratch_bytes() const { return own_scratch + (sums == Sums::c ? 0 : settings.m * kBlock * std::int64_t{4}); }
};

// The epilogue is ours, right after a block and while it is in L1. The microkernel's own post-operations would save that
// pass; but with them 3.7 allocates twice a call instead of once, and the residual must have C's leading dimension. Which
// of the two is faster was not measured.
ukernel::brgemm make_block(const State& state, std::int64_t columns, std::int64_t width) {
  const Settings& s = state.settings;
  ukernel::brgemm block(s.m, columns, s.k, s.batch, s.lda, width, state.sums_ld(), type_of(s.a), type_of(s.b), type_of(sum_type(s)));
  block.set_add_C(s.accumulate);
  block.finalize();
  block.generate();
  return block;
}

std::int64_t group_of(const State& state) {
  const auto type = (state.full ? state.full : state.tail).get_B_pack_type();
  return type == ukernel::pack_type::pack32 ? static_cast<std::int64_t>(4 / size_of(state.settings.b)) : 1;
}

std::shared_ptr<const State> build(const Settings& s) {
  auto state = std::make_shared<State>();
  state->settings = s;
  state->full_blocks = s.n / kBlock;
  state->tail_columns = s.n % kBlock;
  state->tail_width = round_up(state->tail_columns, kWidthMultiple);
  state->amx = this_machine().has("amx_tile");
  state->finish = s.c != sum_type(s) || !s.epilogue.empty();
  state->sums = s.c != sum_type(s) || (s.epilogue.residual && !s.accumulate) ? Sums::scratch : Sums::c;
  state->simd = best_simd_target();
  if (state->full_blocks > 0) state->full = make_block(*state, kBlock, kBlock);
  if (state->tail_columns > 0) state->tail = make_block(*state, state->tail_columns, state->tail_width);
  state->group = group_of(*state);
  state->packed_bytes = round_up(state->full_blocks * state->block_bytes(kBlock) + state->block_bytes(state->tail_width), kAlignment);
  for (const auto* block : {&state->full, &state->tail}) {
    if (*block) state->own_scratch = std::max(state->own_scratch, static_cast<std::int64_t>(block->get_scratchpad_size()));
  }
  state->own_scratch = round_up(state->own_scratch, kAlignment);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    state->offsets.push_back(b * s.a_step * static_cast<std::int64_t>(size_of(s.a)));
    state->offsets.push_back(b * state->packed_bytes);
  }
  return state;
}

// A kernel, or why there is none.
struct Built {
  std::shared_ptr<const State> state;
  std::string reason;
};

Built try_build(const Settings& settings) {
  try {
    return {build(settings), ""};
  } catch (const dnnl::error& error) {
    return {nullptr, std::string("oneDNN: ") + error.what() + " (status " + std::to_string(static_cast<int>(error.status)) + ")"};
  }
}

// Generating code takes a tenth of a millisecond to some, so each kernel is made once. Kept to the end of the process:
// plans made again (another batch size, the next job) ask for the same ones.
const Built& built(const Settings& settings) {
  static std::mutex mutex;
  static std::map<std::string, Built> kernels;
  const std::lock_guard lock(mutex);
  // A test may change the instruction set that the epilogue is compiled for.
  const auto [place, fresh] = kernels.try_emplace(text(settings) + " " + std::to_string(best_simd_target().lanes));
  if (fresh) place->second = try_build(settings);
  return place->second;
}

void pack_block(const State& state, const PlainB& b, std::int64_t first, std::int64_t columns, std::int64_t width, std::byte* to) {
  const DType type = state.settings.b;
  // A block of words is one of Highway's panels.
  if (state.group * static_cast<std::int64_t>(size_of(type)) == 4) {
    return state.simd.pack({from_column(b, type, first), state.group, state.settings.k, columns, width, reinterpret_cast<std::uint32_t*>(to)});
  }
  const auto size = static_cast<std::int64_t>(size_of(state.settings.b));
  const auto* from = static_cast<const std::byte*>(b.data);
  const std::int64_t k_step = (b.transposed ? 1 : b.ld) * size;
  const std::int64_t n_step = (b.transposed ? b.ld : 1) * size;
  std::memset(to, 0, static_cast<std::size_t>(state.block_bytes(width)));
  for (std::int64_t k = 0; k < state.settings.k; ++k) {
    std::byte* row = to + (k / state.group * width * state.group + k % state.group) * size;
    for (std::int64_t n = 0; n < columns; ++n) {
      std::memcpy(row + n * state.group * size, from + k * k_step + (first + n) * n_step, static_cast<std::size_t>(size));
    }
  }
}

void pack(const void* opaque, const PlainB& b, void* packed) noexcept {
  const State& state = *static_cast<const State*>(opaque);
  auto* to = static_cast<std::byte*>(packed);
  for (std::int64_t block = 0; block < state.full_blocks; ++block, to += state.block_bytes(kBlock)) {
    pack_block(state, b, block * kBlock, kBlock, kBlock, to);
  }
  if (state.tail_columns > 0) pack_block(state, b, state.full_blocks * kBlock, state.tail_columns, state.tail_width, to);
}

void finish_block(const State& state, const Arguments& arguments, const void* sums, void* c, std::int64_t first, std::int64_t columns) {
  const Settings& s = state.settings;
  const Epilogue& e = s.epilogue;
  Finish finish;
  finish.epilogue = &e;
  finish.scale = e.scale == Scale::per_column ? arguments.scale + first : arguments.scale;
  finish.bias = e.bias ? arguments.bias + first : nullptr;
  finish.residual = e.residual ? at(arguments.residual, e.residual_type, first) : nullptr;
  finish.sums = sums;
  finish.sum_type = sum_type(s);
  finish.sums_ld = state.sums_ld();
  finish.c = c;
  finish.c_type = s.c;
  finish.ldc = s.ldc;
  finish.rows = s.m;
  finish.columns = columns;
  finish.offset = e.offset ? arguments.offset + first : nullptr;
  finish.requantize = arguments.requantize;
  state.simd.finish(finish);
}

void run_block(const State& state, const Arguments& arguments, const ukernel::brgemm& block, const std::byte* b, std::int64_t first,
               std::int64_t columns) {
  void* c = const_cast<std::byte*>(at(arguments.c, state.settings.c, first));
  void* sums = state.sums == Sums::c ? c : static_cast<std::byte*>(arguments.scratch) + state.own_scratch;
  dnnl_status_t status = state.amx ? dnnl_brgemm_set_hw_context(block.get()) : dnnl_success;
  if (status == dnnl_success) status = dnnl_brgemm_execute(block.get(), arguments.a, b, state.offsets.data(), sums, arguments.scratch);
  // Only a call that contradicts the kernel's settings can fail. Going on would publish an unwritten C.
  if (status != dnnl_success) std::abort();
  if (state.finish) finish_block(state, arguments, sums, c, first, columns);
}

void run(const void* opaque, const Arguments& arguments) noexcept {
  const State& state = *static_cast<const State*>(opaque);
  const auto* b = static_cast<const std::byte*>(arguments.packed_b);
  for (std::int64_t block = 0; block < state.full_blocks; ++block, b += state.block_bytes(kBlock)) {
    run_block(state, arguments, state.full, b, block * kBlock, kBlock);
  }
  if (state.tail_columns > 0) run_block(state, arguments, state.tail, b, state.full_blocks * kBlock, state.tail_columns);
}

}  // namespace

std::optional<std::string> onednn_refuses(const Settings& settings, const Machine& machine) {
  // Without VNNI oneDNN 3.7 multiplies by vpmaddubsw, which sums pairs of products in 16 bits: 255·127·2 does not fit, and
  // results came out wrong by thousands on a Zen 3.
  const bool exact = machine.has("avx512_vnni") || machine.has("avx_vnni");
  if (settings.a == DType::u8 && !exact) return "without VNNI the microkernel's sums saturate at 16 bits";
  if (settings.a == DType::s8) return "the microkernel leaves the compensation that s8·s8 needs to its caller";
  if (settings.transposed_a) return "the microkernel reads rows of A";
  if (settings.lda < settings.k) return "the microkernel wants rows of A that don't overlap";
  const Built& kernel = built(settings);
  if (kernel.state == nullptr) return kernel.reason;
  return std::nullopt;
}

Kernel make_onednn(const Settings& settings) {
  const auto& state = built(settings).state;
  return {{run, pack}, state, static_cast<std::size_t>(state->packed_bytes), static_cast<std::size_t>(state->scratch_bytes())};
}

void release_thread() noexcept {
  if (this_machine().has("amx_tile")) dnnl_brgemm_release_hw_context();
}

}  // namespace edgelab::kernels::tile_gemm

#endif
