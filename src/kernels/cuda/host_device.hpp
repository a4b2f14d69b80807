#pragma once

// Arithmetic that the device's kernels and the host's tests share is marked by these, so that g++ compiles it too.
#if defined(__CUDACC__)
#define EDGELAB_HOST_DEVICE __host__ __device__
#define EDGELAB_UNROLL _Pragma("unroll")
#else
#define EDGELAB_HOST_DEVICE
#define EDGELAB_UNROLL
#endif
