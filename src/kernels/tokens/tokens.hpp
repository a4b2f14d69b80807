#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Ops that move image patches and tokens about; they compute nothing.

// [N, D, H, W] → [N, H·W, D]: the feature map of a patch embedding as a row of tokens.
struct ToTokens {
  static constexpr std::string_view kName = "to_tokens";
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const { return ""; }
  static std::span<const Implementation> implementations();
};

// Inputs [N, T_i, D] or [1, T_i, D] (the same for every sample, such as a class token) → [N, Σ T_i, D].
struct ConcatTokens {
  static constexpr std::string_view kName = "concat_tokens";
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const { return ""; }
  static std::span<const Implementation> implementations();
};

// [N, T, D] → [N, D]: one token of each sample.
struct SelectToken {
  static constexpr std::string_view kName = "select_token";
  std::int64_t index = 0;
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const { return "token " + std::to_string(index); }
  static std::span<const Implementation> implementations();
};

// [N, H·W, D] → [N, D, H, W]: ToTokens undone.
struct FromTokens {
  static constexpr std::string_view kName = "from_tokens";
  std::int64_t height = 0, width = 0;
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const { return std::to_string(height) + " × " + std::to_string(width); }
  static std::span<const Implementation> implementations();
};

// [N, T, D] → [N, count, D]: tokens begin … begin + count of each sample, the gradient of one of ConcatTokens' inputs.
struct SliceTokens {
  static constexpr std::string_view kName = "slice_tokens";
  std::int64_t begin = 0, count = 0;
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const { return "tokens " + std::to_string(begin) + " to " + std::to_string(begin + count - 1); }
  static std::span<const Implementation> implementations();
};

// [N, D] → [N, tokens, D]: token `index` of each sample, zero elsewhere: SelectToken's gradient.
struct PlaceToken {
  static constexpr std::string_view kName = "place_token";
  std::int64_t index = 0, tokens = 0;
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const { return "token " + std::to_string(index) + " of " + std::to_string(tokens); }
  static std::span<const Implementation> implementations();
};

// By the team; channels last.
Offer to_tokens_copy(const CallSite& site);
Offer from_tokens_copy(const CallSite& site);
Offer to_tokens_onednn(const CallSite& site);
Offer to_tokens_reference(const CallSite& site);
Offer concat_tokens_reference(const CallSite& site);
Offer select_token_copy(const CallSite& site);
Offer from_tokens_reference(const CallSite& site);
Offer slice_tokens_copy(const CallSite& site);
Offer place_token_copy(const CallSite& site);

}  // namespace edgelab::kernels
