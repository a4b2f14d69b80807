#include "kernels/cuda/devices.hpp"

#include <cstdlib>
#include <utility>

#include "core/error.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/device_query.hpp"

namespace edgelab::kernels::cuda {

std::string described(const DeviceInfo& device) {
  return device.name + " (compute capability " + std::to_string(device.major) + "." + std::to_string(device.minor) + ")";
}

namespace {

struct StandIn {
  Devices devices;
  Backend* backend = nullptr;
};
StandIn stand_in;

}  // namespace

DeviceStandIn::DeviceStandIn(DeviceInfo device, Backend& backend) { stand_in = {{{std::move(device)}, "", ""}, &backend}; }
DeviceStandIn::~DeviceStandIn() { stand_in = {}; }

const Devices& devices() {
  if (stand_in.backend != nullptr) return stand_in.devices;
#if EDGELAB_HAS_CUDA
  static const Devices known = query_devices();
#else
  static const Devices known = {{}, "this edgelab was built without CUDA", "build it where nvcc is found, or with -DEDGELAB_CUDA=ON"};
#endif
  return known;
}

Backend& backend() {
  if (stand_in.backend != nullptr) return *stand_in.backend;
  if (devices().found.empty()) throw Error(ErrorKind::environment, "no CUDA device: " + devices().none).hint(devices().hint);
#if EDGELAB_HAS_CUDA
  return device_backend();
#else
  std::abort();  // devices() has found none
#endif
}

int device_of_rank(int index, int devices) { return index % devices; }

std::vector<int> ranks_of_device(int index, int ranks, int devices) {
  std::vector<int> sharing;
  for (int rank = index % devices; rank < ranks; rank += devices) sharing.push_back(rank);
  return sharing;
}

}  // namespace edgelab::kernels::cuda
