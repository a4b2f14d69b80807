#pragma once

#include <span>
#include <string_view>

#include "kernels/cuda/devices.hpp"
#include "kernels/implementation.hpp"

namespace edgelab::kernels::cuda {

// What an offer for a device may look at beside the call site.
struct DeviceSite {
  const CallSite& site;
  const DeviceInfo& device;
  bool tf32 = false;  // products in fp32 may round their operands to tf32
};

// As kernels::Implementation, for a device. Offers are made without touching it, so that they can be tested where there is none;
// preparing them uploads constants.
struct DeviceImplementation {
  std::string_view name;
  Offer (*offer)(const DeviceSite&);
};

// An op's ordered list, the fastest first; empty where there is no kernel for it. There is no reference here: the host's is what
// these are tested against.
std::span<const DeviceImplementation> implementations_of(const Op& op);

}  // namespace edgelab::kernels::cuda
