#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.hpp"
#include "core/machine.hpp"
#include "kernels/tile_gemm/requantize.hpp"

// The seam that fused blocks, attention and quantized layers are written on: a small matrix product whose operands stay
// in cache.
//
//   sum[M,N] = Σ_b A_b[M,K] · B_b[K,N]            b = 0 … batch-1
//   C[M,N]   = activation(sum · scale + bias[N] + residual[M,N])
//
// A sum of integers is exact, and what follows has the same bits in every implementation (requantize.hpp):
//
//   f        = fma(f32(sum + offset[N]), scale, bias[N] + residual[M,N])
//   C[M,N]   = activation(f), or as u8: clamp(round(f) + zero_point, low, high)
//
// A, C and the residual are row-major with leading dimensions of their own; B is packed once by the kernel that will read
// it. Nothing here starts a thread: the caller splits its work into tiles and runs one kernel from as many threads as it
// likes.
namespace edgelab::kernels::tile_gemm {

enum class Activation : std::uint8_t { none, relu, relu6, gelu };  // gelu is the exact one, by erf
enum class Scale : std::uint8_t { none, one, per_column };

// What happens to a sum while its tile is in registers or L1, in the order of the formula above.
struct Epilogue {
  Scale scale = Scale::none;
  bool bias = false;  // f32, one a column
  bool residual = false;
  DType residual_type = DType::f32;     // f32 or bf16; u8 behind an s32 sum, on the grid of Arguments::requantize
  std::int64_t residual_ld = 0;         // elements from one row to the next
  // For u8, relu and relu6 are the bounds of Arguments::requantize, and `scale` brings the sum to C's grid; but for gelu it brings
  // it to real numbers, and Requantize::after_gelu on from there.
  Activation activation = Activation::none;
  // Of an s32 sum: s32, one a column. A's zero point is taken out by it, −zero_point · Σ_k B, and a bias may lie on the sum's grid.
  bool offset = false;

  bool empty() const { return scale == Scale::none && !bias && !residual && activation == Activation::none && !offset; }
  bool operator==(const Epilogue&) const = default;
};

// Leading dimensions and steps count elements, not bytes.
//
// Element types (A, B → sum): f32, f32 → f32; bf16, bf16 → f32; u8 or s8, s8 → s32. C is f32 or bf16, rounded to nearest
// even; for an s32 sum it may be s32 too, then without an epilogue, or u8 with a scale.
struct Settings {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t batch = 1;   // pairs A_b, B_b
  std::int64_t lda = 0;     // may be smaller than k: the rows of A then overlap, as a convolution's do
  std::int64_t a_step = 0;  // from A_b to A_b+1; may be smaller than a matrix (the rows of a convolution overlap)
  // A_b lies as [K, M], lda from one k to the next (they may overlap too). So a weight's gradient is one product of what came
  // back and what the layer read, both as they lie. bf16 in pairs: [⌈K/2⌉, M] words of two that follow each other along K,
  // the first in the low half, zero behind an odd K; lda counts words, and batch is 1.
  bool transposed_a = false;
  std::int64_t ldc = 0;     // ≥ n
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  // Start the sum from what C holds. C must have the sum's type. Partial sums for a bf16 result go in as an f32 residual.
  bool accumulate = false;
  Epilogue epilogue;
  // C is so large that it had better not displace what the caches hold: written past them where the kernel can.
  bool past_cache = false;

  bool operator==(const Settings&) const = default;
};

DType sum_type(const Settings& settings);  // f32 or s32
// "fp32×fp32→fp32 M 16 N 64 K 128 lda 128 ldc 64, bias, relu6" for messages and results. Equal texts are equal settings.
std::string text(const Settings& settings);
// Throws Error (usage) on settings that no implementation could mean anything by.
void check(const Settings& settings);

// Pointers of one run. Those that the settings don't ask for are not read. C may overlap the residual only if the two are
// the same matrix (same address, type and leading dimension). Nothing else may overlap C.
struct Arguments {
  const void* a = nullptr;
  const void* packed_b = nullptr;  // B_b at b * packed_bytes(), each by pack()
  void* c = nullptr;
  const float* scale = nullptr;    // 1 or N values
  const float* bias = nullptr;     // N values
  const void* residual = nullptr;
  void* scratch = nullptr;         // scratch_bytes() bytes, kAlignment-aligned, one block for each running thread
  // The packed B, as long as this one, that this thread will read next, where it has to come from far: brought into L2 on the
  // side. Null, or any address; kernels may ignore it.
  const void* next_b = nullptr;
  // The same with anything else that this thread will read next from far, such as the rows of A behind these: `ahead_bytes` in the
  // course of this run. Not with next_b.
  const void* ahead = nullptr;
  std::int64_t ahead_bytes = 0;
  const std::int32_t* offset = nullptr;  // N values
  Requantize requantize;                 // where C or the residual is u8
};

// B as the caller has it: [K,N], or [N,K] if transposed, row-major.
struct PlainB {
  const void* data = nullptr;
  std::int64_t ld = 0;
  bool transposed = false;
};

// A kernel made for one Settings. Immutable and cheap to copy. pack() and run() allocate nothing, throw nothing, take no
// lock, and may be called from many threads at once. (One exception, counted by a test: the library of oneDNN 3.7 itself
// allocates once in each of its calls, which is once for each 64 columns.)
class Kernel {
 public:
  // The implementation's side: functions over its own state.
  struct Functions {
    void (*run)(const void* state, const Arguments&) noexcept = nullptr;
    void (*pack)(const void* state, const PlainB&, void* packed) noexcept = nullptr;
  };
  Kernel() = default;
  Kernel(Functions functions, std::shared_ptr<const void> state, std::size_t packed_bytes, std::size_t scratch_bytes, std::size_t reckoned_bytes = 0)
      : functions_(functions), state_(std::move(state)), packed_bytes_(packed_bytes), scratch_bytes_(scratch_bytes), reckoned_bytes_(reckoned_bytes) {}

  // Of one B_b; a multiple of kAlignment, so that a batch can be packed end to end.
  std::size_t packed_bytes() const { return packed_bytes_; }
  // The last of them, if any, are no elements of B but what pack() reckoned from these; both parts are multiples of kAlignment.
  std::size_t reckoned_bytes() const { return reckoned_bytes_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  // Lays one B_b out for run(). `packed` is kAlignment-aligned.
  void pack(const PlainB& b, void* packed) const noexcept { functions_.pack(state_.get(), b, packed); }
  void run(const Arguments& arguments) const noexcept { functions_.run(state_.get(), arguments); }
  bool defined() const { return state_ != nullptr; }

 private:
  Functions functions_;
  std::shared_ptr<const void> state_;
  std::size_t packed_bytes_ = 0;
  std::size_t scratch_bytes_ = 0;
  std::size_t reckoned_bytes_ = 0;
};

// One way to do it. Packed B is not shared between implementations; within one, kernels that differ in m, lda, ldc, C's
// type, accumulate or epilogue alone pack it alike.
struct Implementation {
  std::string_view name;
  // Why not, or nothing. May build the kernel to find out.
  std::optional<std::string> (*refuses)(const Settings&, const Machine&);
  // For settings that are not refused.
  Kernel (*make)(const Settings&);
};

// In the order in which they are tried: oneDNN's microkernel, Highway, the reference, which refuses nothing.
std::span<const Implementation> implementations();

struct Refusal {
  std::string_view implementation;
  std::string reason;
};

struct Choice {
  Kernel kernel;
  std::string_view implementation;
  std::vector<Refusal> refusals;  // of those before it, for the results
};

// The first implementation that does not refuse. Checks the settings first. Making the same kernel again is cheap: what
// costs (oneDNN generates code) is kept for the life of the process.
Choice choose(const Settings& settings, const Machine& machine = this_machine());

// Gives back what run() may have set in the calling thread (the tile registers of AMX, which make a switch of threads
// dearer). For a thread that has no more tiles to run for a while; never needed for correctness.
void release_thread() noexcept;

}  // namespace edgelab::kernels::tile_gemm
