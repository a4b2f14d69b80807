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
  const std::size_t sample_bytes = site.outputs[0].bytes() / samples;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      std::vector<const std::byte*> from;
      for (std::size_t i = 0; i < pieces.size(); ++i) from.push_back(input_bytes(buffers, constants, i));
      std::byte* output = buffers.outputs[0];
      return [=](const Member& member) {
        const Member::Part part = member.part(static_cast<std::int64_t>(samples));
        std::byte* to = output + static_cast<std::size_t>(part.begin) * sample_bytes;
        for (auto n = static_cast<std::size_t>(part.begin); n < static_cast<std::size_t>(part.end); ++n) {
          for (std::size_t i = 0; i < pieces.size(); ++i) {
            std::memcpy(to, from[i] + n * pieces[i].sample_step, pieces[i].bytes);
            to += pieces[i].bytes;
          }
        }
      };
    }};
  });
}

Offer from_tokens_reference(const CallSite& site) {
  const Shape shape = site.outputs[0].shape;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const std::int64_t pixels = shape[2] * shape[3];
        for (std::int64_t n = 0; n < shape[0]; ++n) {
          for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
            for (std::int64_t c = 0; c < shape[1]; ++c) y[(n * shape[1] + c) * pixels + pixel] = x[(n * pixels + pixel) * shape[1] + c];
          }
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels
