#pragma once

#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/devices.hpp"

namespace edgelab::kernels::cuda {

// What only a build for CUDA has. The first asks the driver; the second is the one backend of the process.
Devices query_devices();
Backend& device_backend();

}  // namespace edgelab::kernels::cuda
