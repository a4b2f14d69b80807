#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/machine.hpp"
#include "core/tensor.hpp"
#include "kernels/layout.hpp"
#include "kernels/step.hpp"
#include "kernels/tensor_type.hpp"

namespace edgelab::kernels {

class Op;
class PackCache;

// One op at its place in a graph, with all that an implementation may look at to decide. Spans are valid only while
// the implementation is being asked.
struct CallSite {
  const Op& op;
  std::span<const TensorType> inputs;
  std::span<const TensorType> outputs;
  std::span<const Tensor> constants;  // one an input; defined() where the value is known now, as weights are
  std::span<const Layout> offered;    // how each input lies already; an implementation may want it otherwise
  int threads = 1;
  const Machine& machine = this_machine();
  PackCache* packs = nullptr;         // never null inside an offer

  bool constant(std::size_t input) const { return constants[input].defined(); }
};

// Memory of one execution. Inputs that are constants may be null: their bytes were packed or kept beforehand.
struct Buffers {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* scratch = nullptr;  // kAlignment-aligned
};

// A chosen kernel, constants packed. bind() may be called many times, for as many executions side by side.
struct PreparedKernel {
  std::function<Step(const Buffers&)> bind;
  std::size_t packed_bytes = 0;  // of constants held beside the model's own
};

// An implementation's answer: either a refusal, or the layouts and memory it needs and the way to make it.
struct Offer {
  std::optional<std::string> refusal;
  std::string detail;           // what the library calls it, "brgconv:avx512_core"; may be empty
  std::vector<Layout> inputs;   // wanted; the entries of constants are ignored
  std::vector<Layout> outputs;
  std::size_t scratch_bytes = 0;
  DType effective = DType::f32;  // what products are really computed in, where the op asks for less than fp32
  std::function<PreparedKernel()> prepare;  // packs constants: the expensive half

  static Offer refuse(std::string reason) {
    Offer offer;
    offer.refusal = std::move(reason);
    return offer;
  }
};

// An op has an ordered list of these, the fastest first, the plain reference last (it refuses nothing valid).
struct Implementation {
  std::string_view name;  // "onednn", "simd", "reference"
  Offer (*offer)(const CallSite&);
};

// An offer that wants and gives plain layouts everywhere.
Offer plain_offer(const CallSite& site, std::function<PreparedKernel()> prepare, std::size_t scratch_bytes = 0);

// For kernels that use their constants as they are: the input's own bytes, or the constant's.
const std::byte* input_bytes(const Buffers& buffers, std::span<const Tensor> constants, std::size_t input);

}  // namespace edgelab::kernels
