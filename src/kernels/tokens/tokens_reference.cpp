#include <cstring>
#include <vector>

#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels {

Offer to_tokens_reference(const CallSite& site) {
  const Shape shape = site.inputs[0].shape;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const std::int64_t pixels = shape[2] * shape[3];
        for (std::int64_t n = 0; n < shape[0]; ++n) {
          for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
            for (std::int64_t c = 0; c < shape[1]; ++c) y[(n * pixels + pixel) * shape[1] + c] = x[(n * shape[1] + c) * pixels + pixel];
          }
        }
      };
    }};
  });
}

Offer concat_tokens_reference(const CallSite& site) {
  struct Piece {
    std::size_t sample_step, bytes;  // sample_step 0: the same for every sample
  };
  std::vector<Piece> pieces;
  for (const TensorType& input : site.inputs) {
    const std::size_t bytes = input.bytes() / static_cast<std::size_t>(input.shape[0]);
    pieces.push_back({input.shape[0] == 1 ? 0 : bytes, bytes});
  }
  const auto samples = static_cast<std::size_t>(site.outputs[0].shape[0]);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      std::vector<const std::byte*> from;
      for (std::size_t i = 0; i < pieces.size(); ++i) from.push_back(input_bytes(buffers, constants, i));
      std::byte* output = buffers.outputs[0];
      return [=] {
        std::byte* to = output;
        for (std::size_t n = 0; n < samples; ++n) {
          for (std::size_t i = 0; i < pieces.size(); ++i) {
            std::memcpy(to, from[i] + n * pieces[i].sample_step, pieces[i].bytes);
            to += pieces[i].bytes;
          }
        }
      };
    }};
  });
}

Offer select_token_reference(const CallSite& site) {
  const Shape shape = site.inputs[0].shape;
  const auto row = static_cast<std::size_t>(shape[2]) * size_of(site.inputs[0].dtype);
  const auto first = static_cast<std::size_t>(site.op.as<SelectToken>()->index) * row;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* from = buffers.inputs[0] + first;
      std::byte* to = buffers.outputs[0];
      return [=] {
        for (std::int64_t n = 0; n < shape[0]; ++n) {
          std::memcpy(to + static_cast<std::size_t>(n) * row, from + static_cast<std::size_t>(n * shape[1]) * row, row);
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels
