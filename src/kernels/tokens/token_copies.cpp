// Tokens picked out of their samples and put back: bytes moved by the team, each member its samples.
#include <cstring>

#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels {
namespace {

// Tokens first … first + count of each sample.
Offer slice_offer(const CallSite& site, std::int64_t first, std::int64_t count) {
  const std::int64_t samples = site.inputs[0].shape[0];
  const std::size_t sample_bytes = site.inputs[0].bytes() / static_cast<std::size_t>(samples);
  const std::size_t row_bytes = sample_bytes / static_cast<std::size_t>(site.inputs[0].shape[1]);
  const std::size_t offset = static_cast<std::size_t>(first) * row_bytes, bytes = static_cast<std::size_t>(count) * row_bytes;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* from = input_bytes(buffers, constants, 0) + offset;
      std::byte* to = buffers.outputs[0];
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(samples);
        for (auto n = static_cast<std::size_t>(part.begin); n < static_cast<std::size_t>(part.end); ++n) {
          std::memcpy(to + n * bytes, from + n * sample_bytes, bytes);
        }
      };
    }};
  });
}

}  // namespace

Offer select_token_copy(const CallSite& site) { return slice_offer(site, site.op.as<SelectToken>()->index, 1); }

Offer slice_tokens_copy(const CallSite& site) {
  const SliceTokens& slice = *site.op.as<SliceTokens>();
  return slice_offer(site, slice.begin, slice.count);
}

Offer place_token_copy(const CallSite& site) {
  const PlaceToken place = *site.op.as<PlaceToken>();
  const std::int64_t samples = site.inputs[0].shape[0];
  const std::size_t row_bytes = site.inputs[0].bytes() / static_cast<std::size_t>(samples);
  const std::size_t before = static_cast<std::size_t>(place.index) * row_bytes;
  const std::size_t sample_bytes = static_cast<std::size_t>(place.tokens) * row_bytes, behind = sample_bytes - before - row_bytes;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* from = input_bytes(buffers, constants, 0);
      std::byte* to = buffers.outputs[0];
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(samples);
        for (auto n = static_cast<std::size_t>(part.begin); n < static_cast<std::size_t>(part.end); ++n) {
          std::byte* sample = to + n * sample_bytes;
          std::memset(sample, 0, before);
          std::memcpy(sample + before, from + n * row_bytes, row_bytes);
          std::memset(sample + before + row_bytes, 0, behind);
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels
