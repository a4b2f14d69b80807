#pragma once

#include <optional>
#include <string>

#include "kernels/tile_gemm/tile_gemm.hpp"

// The pieces of implementations(), for that list and for tests of one of them.
namespace edgelab::kernels::tile_gemm {

// oneDNN's brgemm microkernel (oneapi/dnnl/dnnl_ukernel.h). B lies in blocks of 64 columns; bf16 and s8 are interleaved
// along K in groups of 32 bits, where the microkernel asks for it. f32, bf16, u8×s8. The epilogue is Highway's.
std::optional<std::string> onednn_refuses(const Settings& settings, const Machine& machine);
Kernel make_onednn(const Settings& settings);

// Google Highway, for the widest target that this machine runs when make is called. f32, bf16 and u8×s8.
// bf16 products are exact in f32 and summed in f32, but where the target multiplies bf16 pairs itself (AVX512-BF16, Arm
// BF16, from Highway 1.2 on): there subnormal operands count as zero and the two products of a pair may be rounded in
// another order. GELU is vector_math's, the cheaper one where C is bf16.
std::optional<std::string> simd_refuses(const Settings& settings, const Machine& machine);
Kernel make_simd(const Settings& settings);

// Sums in double, which is exact for integers, and rounds once; behind integers as requantize.hpp has it.
Kernel make_reference(const Settings& settings);

}  // namespace edgelab::kernels::tile_gemm
