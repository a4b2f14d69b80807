#pragma once

#include <optional>

#include "parallel/communicator.hpp"

namespace edgelab::parallel {

// How long a message takes: latency_ns + bytes · ns_per_byte. And what of that a rank's processor is busy with it: half of
// cpu_ns_per_byte where it sends, half where it receives.
struct Link {
  double latency_ns = 0.0, ns_per_byte = 0.0, cpu_ns_per_byte = 0.0;
};

// The link from a rank to the next one while all of them send, the slowest, as measured now: with 8 bytes, and with 256 KiB. The same
// answer on every rank; nothing takes time on one. Collective; takes as long as nine such messages.
Link slowest_link(const Communicator& communicator);

// The link from this rank to `peer` without what it costs the processors, as measured now while nothing else is on it: half the round trip of 8 bytes, and how much longer
// 1 MiB takes. Both ranks call it, and each learns of its own direction; takes as long as eight messages of 1 MiB and 40 round trips.
Link link_to(const Communicator& communicator, int peer);

// All pairs in as few rounds as there can be (the circle method of round-robin tournaments): the rank that meets `rank` in a round;
// nothing where it sits out, as one does in each round if their number is odd.
int rounds_of_pairs(int ranks);
std::optional<int> peer_in_round(int rank, int round, int ranks);

}  // namespace edgelab::parallel
