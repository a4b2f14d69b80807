#pragma once

// The instruction sets that kernels are compiled for by Highway's foreach_target: included before it.
//
// Every x86 of interest has AVX2; leaving out the two sets below it halves the compile time. The baseline stays as the last
// resort. Of Arm's, NEON alone: no board that the labs are for has SVE, which would be four more sets to compile, on a Pi; and what
// a Cortex-A76 has beyond NEON, products of bytes, is asked for at run time (tile_gemm/quads-inl.hpp).
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

// Whether the set that is being compiled is NEON of 64 bits, so that <arm_neon.h> may be used beside Highway. It has more names than
// one from Highway 1.0.4 on.
#if defined(HWY_NEON_WITHOUT_AES)
#define EDGELAB_NEON (HWY_ARCH_ARM_A64 && (HWY_TARGET == HWY_NEON || HWY_TARGET == HWY_NEON_WITHOUT_AES || HWY_TARGET == HWY_NEON_BF16))
#else
#define EDGELAB_NEON (HWY_ARCH_ARM_A64 && HWY_TARGET == HWY_NEON)
#endif
