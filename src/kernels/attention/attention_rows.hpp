#pragma once

#include "kernels/attention/attention.hpp"

namespace edgelab::kernels {

// Attention of some queries to all keys, where other ranks have the other queries (graph/split/part.hpp):
//   the rows `first_query` … first_query + queries of what `attention` gives.
// Inputs: qkv [N, T, 3·D] as Attention has it; queries of other rows are not read. Output: [N, queries, D] of qkv's type.
struct AttentionRows {
  static constexpr std::string_view kName = "attention_rows";
  Attention attention;  // without bias and log-sum-exp
  std::int64_t first_query = 0, queries = 1;
  DType compute = DType::f32;  // as attention.compute

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer attention_rows_flash(const CallSite& site);
Offer attention_rows_onednn(const CallSite& site);
Offer attention_rows_reference(const CallSite& site);

}  // namespace edgelab::kernels
