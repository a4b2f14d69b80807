#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgelab::kernels::cuda {

struct DeviceInfo {
  std::string name;            // "NVIDIA H100 80GB HBM3"
  int major = 0, minor = 0;    // compute capability
  int multiprocessors = 0;
  std::int64_t memory_bytes = 0;
  bool operator==(const DeviceInfo&) const = default;
};

// "NVIDIA H100 80GB HBM3 (compute capability 9.0)"
std::string described(const DeviceInfo& device);

struct Devices {
  std::vector<DeviceInfo> found;  // by CUDA's numbers
  std::string none;               // why there are none; empty where there are
  std::string hint;               // what to do about it
};

// The CUDA devices that this process can compute on. Asked of the driver once; throws nothing.
const Devices& devices();

// The device of the rank that is the `index`-th on its host: ranks take turns where there are more of them. `devices`: at least 1.
int device_of_rank(int index, int devices);
// The ranks of `ranks` on a host that compute on the same device as the `index`-th, itself among them, ascending.
std::vector<int> ranks_of_device(int index, int ranks, int devices);

}  // namespace edgelab::kernels::cuda
