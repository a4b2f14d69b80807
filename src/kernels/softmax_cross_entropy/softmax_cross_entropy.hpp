#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// The loss of a classifier and its gradient, in one op. With s_i = Σ_c t_ic and T the temperature (Hinton et al. 2015; 1 for
// plain cross-entropy):
//   loss_i = −Σ_c t_ic · log softmax(z_i / T)_c,  gradient = d(Σ_i loss_i) / dz = (s_i · softmax(z_i / T) − t_i) / T
// Inputs: logits z [N, C], targets t [N, C], non-negative rows of any sum: a row of zeros is padding and gives zeros, whatever
//         its logits are; rows that sum to 1/N make the sum of the losses the batch's mean.
// Outputs: loss [N], gradient [N, C]. All fp32.
struct SoftmaxCrossEntropy {
  static constexpr std::string_view kName = "softmax_cross_entropy";
  double temperature = 1.0;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, in double: some thousand numbers in a step are not worth more.
Offer softmax_cross_entropy_reference(const CallSite& site);

}  // namespace edgelab::kernels
