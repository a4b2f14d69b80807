#pragma once

#include "core/dtype.hpp"

namespace edgelab::kernels::tile_gemm {

// What `threads` threads of this machine reach together in a matrix product of this type (f32, bf16, u8 or s8) whose operands lie in
// cache, by the fastest kernel there is: operations a second, a multiply-add counts two. It is the roof under which layers work
// (Williams, Waterman and Patterson, "Roofline", 2009). 0 for other types.
//
// Measured when first asked for, which takes all these threads for some 50 ms, and kept for the life of the process; what else ran
// then makes it less. Not to be called while a plan runs.
double speed_limit(DType type, int threads);

}  // namespace edgelab::kernels::tile_gemm
