#include <cuda_runtime.h>

#include "kernels/cuda/device_query.hpp"

namespace edgelab::kernels::cuda {
namespace {

// The first of CMake's EDGELAB_CUDA_ARCHITECTURES; older devices have no code here.
constexpr int kLeastMajor = EDGELAB_CUDA_LEAST / 10, kLeastMinor = EDGELAB_CUDA_LEAST % 10;

bool too_old(const DeviceInfo& device) {
  return device.major < kLeastMajor || (device.major == kLeastMajor && device.minor < kLeastMinor);
}

}  // namespace

Devices query_devices() {
  Devices devices;
  const auto none = [&](const std::string& why, const std::string& hint) { return Devices{{}, why, hint}; };
  int count = 0;
  const cudaError_t answer = cudaGetDeviceCount(&count);
  if (answer == cudaErrorInsufficientDriver) {
    return none("the NVIDIA driver is missing, or older than CUDA " + std::to_string(CUDART_VERSION / 1000), "install a driver for it; nvidia-smi shows the one that is there");
  }
  if (answer != cudaSuccess) return none(cudaGetErrorString(answer), "nvidia-smi shows what the driver sees; CUDA_VISIBLE_DEVICES may hide devices");
  if (count == 0) return none("the driver sees no device", "nvidia-smi shows what the driver sees; CUDA_VISIBLE_DEVICES may hide devices");
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp properties{};
    const cudaError_t told = cudaGetDeviceProperties(&properties, index);
    if (told != cudaSuccess) return none(cudaGetErrorString(told), "nvidia-smi shows the state of device " + std::to_string(index));
    DeviceInfo device{properties.name, properties.major, properties.minor, properties.multiProcessorCount,
                      static_cast<std::int64_t>(properties.totalGlobalMem)};
    // Numbers stand for devices everywhere, so one that is too old can't be left out between others.
    if (too_old(device)) return none(described(device) + " is older than this build is for", "build with -DEDGELAB_CUDA_ARCHITECTURES=\"...\" for it, or hide it by CUDA_VISIBLE_DEVICES");
    devices.found.push_back(device);
  }
  return devices;
}

}  // namespace edgelab::kernels::cuda
