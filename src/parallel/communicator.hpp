#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/cancel.hpp"
#include "parallel/backoff.hpp"
#include "parallel/host_layout.hpp"
#include "parallel/request.hpp"

namespace edgelab::parallel {

enum class Reduction { sum, max, min };

// What one rank moved and how long it waited, since the communicator was made. Collectives count under `wait_ns` and with
// the bytes of this rank's own buffers; what MPI moves inside them is its own affair.
struct Traffic {
  std::int64_t bytes_sent = 0, bytes_received = 0;
  std::int64_t send_ns = 0, receive_ns = 0, wait_ns = 0;
};

// A group of ranks that talk to each other: owns an MPI communicator of its own, so that no message of another part of
// the program can be mistaken for one of its. Needs a living Environment.
//
// One thread at a time may use an object; different objects are free of each other (MPI_THREAD_MULTIPLE). Calls marked
// "collective" must be made by every rank of the communicator, in the same order. All waits test and back off (Waiting)
// rather than poll. Every call throws Error (environment) with MPI's text if MPI fails, Cancelled once the token set by
// cancel_by() says so, and PeerFailed if a rank that it needs has died and the program survives that
// (parallel/failures.hpp). Buffers that the caller passes are used in place and must live until the call returns.
class Communicator {
 public:
  static Communicator world();  // collective over all ranks of the program
  static Communicator self();   // this rank alone: every parallel algorithm runs on it unchanged
  Communicator duplicate() const;  // collective
  // A communicator of `ranks` (of this one; this rank among them), which become ranks 0, 1, … in that order. Collective over
  // `ranks` only, so busy ranks need not take part. Blocks, polling, until all of them have called with the same `tag`;
  // calls under way at one time need tags of their own, in [0, kTagLimit). What is made is cancelled by `token` (else as
  // this one is). Where the program survives failures (parallel/failures.hpp) only the members matter: they meet first, and
  // while they do the call ends with PeerFailed if one of them has died, and with Cancelled. A member that dies in the moment
  // after that leaves the others waiting for ever: MPI has no way out of it.
  Communicator create_group(std::span<const int> ranks, int tag,
                            std::shared_ptr<const CancelToken> token = nullptr) const;
  static constexpr int kTagLimit = 32768;  // what every MPI grants

  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  ~Communicator();

  int rank() const;
  int size() const;
  // The ranks that have died, as far as this one knows; they no longer disturb its receives from any source. Local. Always
  // empty unless survives_failures().
  std::vector<int> failed() const;
  HostLayout host_layout() const;  // collective

  void set_waiting(const Waiting& waiting);
  void cancel_by(std::shared_ptr<const CancelToken> token);
  Traffic traffic() const;

  // Collectives.
  void barrier() const;
  void broadcast(std::span<std::byte> bytes, int root) const;  // the same size on every rank
  template <class T> void broadcast(std::span<T> values, int root) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast(std::as_writable_bytes(values), root);
  }
  void broadcast(Bytes& bytes, int root) const;  // resized on the other ranks
  void all_reduce(std::span<float> values, Reduction reduction) const;  // in place
  void all_reduce(std::span<double> values, Reduction reduction) const;
  void all_reduce(std::span<std::int64_t> values, Reduction reduction) const;
  template <class T> T all_reduce(T value, Reduction reduction) const {
    all_reduce(std::span<T>(&value, 1), reduction);
    return value;
  }
  // The same under way, for floats: returns at once, and the request's bytes are the sums once it is complete. Collective, in
  // the same order on every rank, among other collectives too. MPI moves on when the request is tested.
  Request start_all_reduce(Bytes floats, Reduction reduction) const;
  // Every rank's bytes, by rank; sizes may differ. gather: empty but on `root`. Below 2 GiB in all, or Error.
  std::vector<Bytes> gather(std::span<const std::byte> bytes, int root) const;
  std::vector<Bytes> all_gather(std::span<const std::byte> bytes) const;

  // Messages between two ranks. `tag` in [0, kTagLimit). A message holds less than 2 GiB, or Error.
  static constexpr int kAnySource = -1;
  static constexpr int kAnyTag = -1;
  void send(std::span<const std::byte> bytes, int destination, int tag) const;
  void receive(std::span<std::byte> bytes, int source, int tag) const;  // Error unless the message has just this size
  Bytes receive_any_size(int source, int tag) const;
  std::optional<Message> try_receive(int source, int tag) const;  // of those that have begun to arrive, the first
  Request isend(Bytes bytes, int destination, int tag) const;
  Request irecv(std::size_t bytes, int source, int tag) const;
  // The first message waiting, without taking it; empty when none came within `timeout` (0: look once).
  std::optional<Envelope> probe(int source, int tag, std::chrono::nanoseconds timeout) const;

  struct Impl;

 private:
  explicit Communicator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgelab::parallel
