#include <cuda_runtime.h>

#include <cstring>

#include "core/error.hpp"
#include "kernels/cuda/device_query.hpp"
#include "kernels/cuda/launch.cuh"

namespace edgelab::kernels::cuda {

void check(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  throw Error(ErrorKind::environment, std::string("CUDA: ") + what + " failed").got(std::string(cudaGetErrorName(code)) + ": " + cudaGetErrorString(code));
}

namespace {

// Ends a recording that an exception cut short: the stream would take no other work.
struct RecordingGuard {
  cudaGraph_t graph = nullptr;
  bool open = true;
  ~RecordingGuard() {
    if (open) cudaStreamEndCapture(cudaStreamPerThread, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
  }
};

class DeviceBackend final : public Backend {
 public:
  void use_device(int index) override { check(cudaSetDevice(index), "cudaSetDevice"); }
  int device() override {
    int index = 0;
    check(cudaGetDevice(&index), "cudaGetDevice");
    return index;
  }

  std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes == 0 ? 1 : bytes), "cudaMalloc");
    std::shared_ptr<std::byte> owned(static_cast<std::byte*>(memory), [](std::byte* own) { cudaFree(own); });
    check(cudaMemset(memory, 0, bytes), "cudaMemset");
    return owned;
  }
  std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) override {
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, bytes == 0 ? 1 : bytes, cudaHostAllocDefault), "cudaHostAlloc");
    std::memset(memory, 0, bytes);
    return {static_cast<std::byte*>(memory), [](std::byte* own) { cudaFreeHost(own); }};
  }
  void copy_to_device(std::byte* to, const std::byte* from, std::size_t bytes) override {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, cudaStreamPerThread), "copying to the device");
  }
  void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) override {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, cudaStreamPerThread), "copying to the host");
  }
  void synchronise() override { check(cudaStreamSynchronize(cudaStreamPerThread), "the work of the device"); }

  std::function<void()> record(const std::function<void()>& work) override {
    check(cudaStreamBeginCapture(cudaStreamPerThread, cudaStreamCaptureModeThreadLocal), "recording");
    RecordingGuard recording;
    work();
    recording.open = false;
    check(cudaStreamEndCapture(cudaStreamPerThread, &recording.graph), "recording");
    cudaGraphExec_t made = nullptr;
    check(cudaGraphInstantiate(&made, recording.graph, 0), "making a graph of what was recorded");
    const std::shared_ptr<CUgraphExec_st> owned(made, [](cudaGraphExec_t own) { cudaGraphExecDestroy(own); });
    return [owned] { check(cudaGraphLaunch(owned.get(), cudaStreamPerThread), "launching a graph"); };
  }

  void launch(const ProductArguments& arguments) override { launch_product(arguments); }
  void launch(const DirectConvolutionArguments& arguments) override { launch_elements(arguments); }
  void launch(const DepthwiseArguments& arguments) override { launch_elements(arguments); }
  void launch(const LayerNormArguments& arguments) override { launch_layer_norm(arguments); }
  void launch(const AttentionArguments& arguments) override { launch_attention(arguments); }
  void launch(const ElementwiseArguments& arguments) override { launch_elements(arguments); }
  void launch(const PatchRowsArguments& arguments) override { launch_elements(arguments); }
  void launch(const RowCopyArguments& arguments) override { launch_elements(arguments); }
  void launch(const AveragePoolArguments& arguments) override { launch_elements(arguments); }
  void launch(const TransposeArguments& arguments) override { launch_elements(arguments); }
};

}  // namespace

Backend& device_backend() {
  static DeviceBackend backend;
  return backend;
}

}  // namespace edgelab::kernels::cuda
