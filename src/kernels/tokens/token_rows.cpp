// Between an image's channels and a row of tokens: the same bytes, where the channels lie last.
#include <cstring>

#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels {
namespace {

Offer copy_offer(const CallSite& site) {
  const std::size_t bytes = site.outputs[0].bytes();
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* from = buffers.inputs[0];
      std::byte* to = buffers.outputs[0];
      return [=](const Member& member) {
        const Member::Part part = member.part(static_cast<std::int64_t>(bytes), 4096);
        std::memcpy(to + part.begin, from + part.begin, static_cast<std::size_t>(part.size()));
      };
    }};
  });
}

}  // namespace

Offer to_tokens_copy(const CallSite& site) {
  if (site.constant(0)) return Offer::refuse("the input is a constant");
  if (site.offered[0].kind() != Layout::Kind::channels_last) return Offer::refuse("only channels last");
  Offer offer = copy_offer(site);
  offer.inputs[0] = site.offered[0];
  return offer;
}

Offer from_tokens_copy(const CallSite& site) {
  if (site.constant(0)) return Offer::refuse("the input is a constant");
  Offer offer = copy_offer(site);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
