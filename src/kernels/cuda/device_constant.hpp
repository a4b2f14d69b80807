#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/arguments.hpp"
#include "kernels/cuda/implementations.hpp"
#include "kernels/pack_cache.hpp"

// What the offers share.
namespace edgelab::kernels::cuda {

// An op's constants at hand when a kernel is prepared, after the call site is gone.
class Constants {
 public:
  explicit Constants(const CallSite& site) : tensors_(site.constants.begin(), site.constants.end()), packs_(site.packs) {}

  bool has(std::size_t input) const { return tensors_[input].defined(); }
  const Tensor& host(std::size_t input) const { return tensors_[input]; }
  // The constant in device memory, as `pack` lays it out, which `layout` names: uploaded once for all plans of a model.
  Tensor device(std::size_t input, const std::string& layout, const std::function<Tensor(const Tensor&)>& pack) const;
  Tensor device(std::size_t input) const;  // as it lies
  Tensor product(std::size_t input, Multiply multiply) const;  // w [n, k] as a product in `multiply` reads it

 private:
  std::vector<Tensor> tensors_;
  PackCache* packs_;
};

// A copy in device memory of the calling thread's device. Blocks.
Tensor uploaded(const Tensor& host);

// w [outputs, rest] as [rest, outputs].
Tensor outputs_last(const Tensor& w);

// Why not, if one of the inputs from `first` on is not known before the run, as in training.
std::optional<std::string> changing(const CallSite& site, std::size_t first);

// What products are computed in that ask for `compute`.
Multiply multiply_of(DType compute, const DeviceSite& site);
// The offer, which says in what its products are computed.
Offer by_products(Offer offer, DType compute, Multiply multiply);

Element element_of(DType type);  // f32 or bf16

inline const float* floats(const std::byte* bytes) { return reinterpret_cast<const float*>(bytes); }

}  // namespace edgelab::kernels::cuda
