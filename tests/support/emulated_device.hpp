#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>

#include "core/tensor.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/tiles/attention_tile.hpp"
#include "kernels/cuda/tiles/elements.hpp"
#include "kernels/cuda/tiles/layer_norm_rows.hpp"
#include "kernels/cuda/tiles/product_tile.hpp"
#include "support/emulated_block.hpp"

namespace edgelab::test {

namespace cuda = kernels::cuda;

// A CUDA device on the host: the kernels' own code, block by block, on memory that only copies reach. What it can't show: that a
// device's clocks, schedulers and caches agree with it, and anything about time.
class EmulatedBackend final : public cuda::Backend {
 public:
  int launches = 0;

  void use_device(int) override {}
  int device() override { return 0; }
  std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
    const std::shared_ptr<std::byte> memory = allocate_aligned(bytes + 1);
    (*ends_)[memory.get()] = memory.get() + bytes + 1;
    return {memory.get(), [memory, ends = ends_](std::byte* own) { ends->erase(own); }};
  }
  std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) override { return allocate_aligned(bytes); }
  void copy_to_device(std::byte* to, const std::byte* from, std::size_t bytes) override {
    require(to);
    std::memcpy(to, from, bytes);
  }
  void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) override {
    require(from);
    std::memcpy(to, from, bytes);
  }
  void synchronise() override {}
  std::function<void()> record(const std::function<void()>& work) override { return work; }

  void launch(const cuda::ProductArguments& p) override {
    for (const void* pointer : {p.x.data, p.w, static_cast<const void*>(p.bias), static_cast<const void*>(p.residual), static_cast<const void*>(p.y.data)}) require(pointer);
    switch (p.multiply) {
      case cuda::Multiply::f32: return product<cuda::Multiply::f32>(p);
      case cuda::Multiply::tf32: return product<cuda::Multiply::tf32>(p);
      case cuda::Multiply::bf16: return product<cuda::Multiply::bf16>(p);
    }
  }
  void launch(const cuda::LayerNormArguments& p) override {
    for (const void* pointer : {static_cast<const void*>(p.x), static_cast<const void*>(p.weight), static_cast<const void*>(p.bias), static_cast<const void*>(p.y.data)}) require(pointer);
    cuda::emulate<cuda::LayerNormRows>(blocks(p.rows, cuda::LayerNormRows::kRows), 1, 0, p);
  }
  void launch(const cuda::AttentionArguments& p) override {
    for (const void* pointer : {p.qkv.data, static_cast<const void*>(p.y.data), static_cast<const void*>(p.log_sum_exp)}) require(pointer);
    switch (p.multiply) {
      case cuda::Multiply::f32: return attention<cuda::Multiply::f32>(p);
      case cuda::Multiply::tf32: return attention<cuda::Multiply::tf32>(p);
      case cuda::Multiply::bf16: return attention<cuda::Multiply::bf16>(p);
    }
  }
  void launch(const cuda::DirectConvolutionArguments& p) override { convolution(p); }
  void launch(const cuda::DepthwiseArguments& p) override { convolution(p); }
  void launch(const cuda::ElementwiseArguments& p) override {
    for (const void* pointer : {p.a.data, static_cast<const void*>(p.b), static_cast<const void*>(p.c), static_cast<const void*>(p.y.data)}) require(pointer);
    elements(p);
  }
  void launch(const cuda::PatchRowsArguments& p) override { moved(p.x, p.y.data, p); }
  void launch(const cuda::RowCopyArguments& p) override { moved(p.x, p.y, p); }
  void launch(const cuda::AveragePoolArguments& p) override { moved(p.x, p.y, p); }
  void launch(const cuda::TransposeArguments& p) override { moved(p.x, p.y, p); }

 private:
  static int blocks(std::int64_t items, int a_block) { return static_cast<int>((items + a_block - 1) / a_block); }

  // Null stands for what an argument leaves out.
  void require(const void* pointer) const {
    if (pointer == nullptr) return;
    const auto* address = static_cast<const std::byte*>(pointer);
    const auto behind = ends_->upper_bound(address);
    if (behind == ends_->begin() || std::prev(behind)->second <= address) throw std::logic_error("a kernel was given an address of the host");
  }
  template <cuda::Multiply kMultiply> void product(const cuda::ProductArguments& p) {
    using Tile = cuda::ProductTile<kMultiply>;
    ++launches;
    cuda::emulate<Tile>(blocks(p.m, Tile::kRows), blocks(p.n, Tile::kColumns), Tile::kSharedBytes, p);
  }
  template <cuda::Multiply kMultiply> void attention(const cuda::AttentionArguments& p) {
    p.head_width == 32 ? attention<kMultiply, 32>(p) : attention<kMultiply, 64>(p);
  }
  template <cuda::Multiply kMultiply, int kHeadWidth> void attention(const cuda::AttentionArguments& p) {
    using Tile = cuda::AttentionTile<kMultiply, kHeadWidth>;
    ++launches;
    cuda::emulate<Tile>(blocks(p.queries, Tile::kQueries), static_cast<int>(p.samples * p.heads), Tile::kSharedBytes, p);
  }
  template <class Arguments> void convolution(const Arguments& p) {
    for (const float* pointer : {p.x, p.w, p.bias, p.residual, static_cast<const float*>(p.y)}) require(pointer);
    elements(p);
  }
  template <class Arguments> void moved(const void* x, const void* y, const Arguments& p) {
    require(x);
    require(y);
    elements(p);
  }
  template <class Arguments> void elements(const Arguments& p) {
    ++launches;
    for (std::int64_t i = 0; i < cuda::count(p); ++i) cuda::compute(p, i);
  }

  // Where each piece of the device's memory ends; outlives this object as long as a piece does.
  std::shared_ptr<std::map<const std::byte*, const std::byte*>> ends_ = std::make_shared<std::map<const std::byte*, const std::byte*>>();
};

// The only device of the process while it lives, emulated.
struct EmulatedDevice {
  EmulatedBackend backend;
  cuda::DeviceStandIn stand_in{{"emulated device", 9, 0, 1, std::int64_t{1} << 30}, backend};
};

}  // namespace edgelab::test
