#pragma once

#include <algorithm>

#include "kernels/message/transport.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// Positions [begin, end) along an axis.
struct Range {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
  bool empty() const { return end <= begin; }
  bool operator==(const Range&) const = default;
};
inline Range overlap(const Range& a, const Range& b) { return {std::max(a.begin, b.begin), std::max(std::max(a.begin, b.begin), std::min(a.end, b.end))}; }

// A value that lies in parts on the ranks of the transport, cut along `axis` (tokens [N, T, D]: 1; of maps [N, C, H, W] channels: 1,
// which are bytes, since numbers that share a scale on the wire may not be parted, or rows: 2), dealt out anew: y = the positions wanted[rank] of it. Every scatter, all-gather, halo and broadcast is one of these.
// Rank r has owned[r]. A position that several have is taken from the rank itself if it is among them, else from the lowest.
// Inputs: x, the positions `held` of the value, owned[rank] among them (others may hold anything); none where owned[rank] is empty.
// With `first_element` (tokens only) no more than the elements from there on of other ranks' tokens are sent; those before are left as
// they were, which is to say undefined: queries of other ranks, which nobody here reads.
struct Exchange {
  static constexpr std::string_view kName = "exchange";
  TensorType whole;
  int axis = 1;
  int rank = 0;
  Range held;
  std::vector<Range> owned, wanted;  // one a rank
  std::int64_t first_element = 0;
  Transport* transport = nullptr;  // outlives the executables; null in a graph that is only looked at

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const;
  static std::span<const Implementation> implementations();

  bool has_input() const { return !owned[static_cast<std::size_t>(rank)].empty(); }
  // Of what rank `to` wants, the parts that it takes from rank `from`, in positions.
  std::vector<Range> taken(int from, int to) const;
};

// In the layout that all ranks agree on (message.hpp). Its step allocates and throws as the transport does.
Offer exchange_transport(const CallSite& site);

}  // namespace edgelab::kernels
