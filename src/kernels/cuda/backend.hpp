#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "kernels/cuda/arguments.hpp"
#include "kernels/cuda/devices.hpp"

namespace edgelab::kernels::cuda {

// The device side, for the rest of the tree: no CUDA header reaches further than the .cu files of this folder. All work of a thread
// goes to that thread's own stream of the device it has chosen; nothing but synchronise() waits for it. Every call throws Error
// (environment) with CUDA's own words if the device or the driver refuses.
class Backend {
 public:
  virtual ~Backend() = default;

  // The calling thread's device from now on; `index` as in devices().
  virtual void use_device(int index) = 0;
  virtual int device() = 0;
  // Zeroed memory of the calling thread's device; pinned: of the host, page-locked, so that copies run beside kernels.
  virtual std::shared_ptr<std::byte> allocate(std::size_t bytes) = 0;
  virtual std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) = 0;
  virtual void copy_to_device(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  virtual void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  virtual void synchronise() = 0;
  // What `work` sends to the stream, recorded instead (a CUDA graph): each call of the result sends all of it at once.
  virtual std::function<void()> record(const std::function<void()>& work) = 0;

  // The kernels; arguments.hpp says what each computes.
  virtual void launch(const ProductArguments& arguments) = 0;
  virtual void launch(const DirectConvolutionArguments& arguments) = 0;
  virtual void launch(const DepthwiseArguments& arguments) = 0;
  virtual void launch(const LayerNormArguments& arguments) = 0;
  virtual void launch(const AttentionArguments& arguments) = 0;
  virtual void launch(const ElementwiseArguments& arguments) = 0;
  virtual void launch(const PatchRowsArguments& arguments) = 0;
  virtual void launch(const RowCopyArguments& arguments) = 0;
  virtual void launch(const AveragePoolArguments& arguments) = 0;
  virtual void launch(const TransposeArguments& arguments) = 0;
};

// Throws Error (environment) where there is no device; devices() says why.
Backend& backend();

// Stands in for the only device of the process while it lives: tests run plans for a device where there is none. Not while another
// thread uses devices() or backend().
class DeviceStandIn {
 public:
  DeviceStandIn(DeviceInfo device, Backend& backend);
  ~DeviceStandIn();
  DeviceStandIn(const DeviceStandIn&) = delete;
  DeviceStandIn& operator=(const DeviceStandIn&) = delete;
};

}  // namespace edgelab::kernels::cuda
