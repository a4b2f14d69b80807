#pragma once

// For the .cpp files of this folder only.
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include "parallel/communicator.hpp"
#include "parallel/mpi_check.hpp"

namespace edgelab::parallel {

struct Communicator::Impl {
  MPI_Comm handle = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  Waiting waiting;
  std::shared_ptr<const CancelToken> cancel;
  // An operation was given up half-way: the communicator is then never freed, because MPI still holds that operation.
  bool abandoned = false;
  int exceptions_at_birth = std::uncaught_exceptions();
  Traffic traffic;

  bool released() const { return cancel != nullptr && cancel->released(); }
  // Messages of others may be under way still: an operation was given up, or this rank leaves by an exception and the others go on.
  bool left_early() const { return abandoned || released() || std::uncaught_exceptions() > exceptions_at_birth; }
  // Throws Cancelled if no new operation may begin.
  void require_running() const {
    if (abandoned || (cancel != nullptr && cancel->stopping())) throw Cancelled();
  }
};

enum class Operation { send, receive, collective };

// Of the communicator, ascending; as far as this rank knows, acknowledged or not. (failures.cpp)
std::vector<int> failed_ranks(MPI_Comm communicator);

// Throws PeerFailed if `code` says that an operation on `communicator` failed for want of a rank that died. (failures.cpp)
void throw_if_peer_failed(MPI_Comm communicator, int code);

// check() for operations on a communicator.
inline void check(const Communicator::Impl& impl, int code, const char* what) {
  if (code != MPI_SUCCESS) throw_if_peer_failed(impl.handle, code);
  check(code, what);
}

// MPI_Comm_create_group that ranks of the parent which have died, and are no members, do not disturb. (failures.cpp)
int create_group_regardless(MPI_Comm parent, MPI_Group group, int tag, MPI_Comm* made);

// The members of a group say to its first that they are here, and are told that all are. Throws PeerFailed if one of them has
// died, Cancelled once the token is released; leaves no operation behind on `parent`. (meeting.cpp)
void meet(const Communicator::Impl& parent, std::span<const int> ranks, int tag, const CancelToken* token);

std::unique_ptr<Communicator::Impl> adopt(MPI_Comm handle);

// A group of ranks of a communicator, or none yet.
struct Group {
  Group() = default;
  Group(MPI_Comm parent, std::span<const int> ranks);
  static Group of(MPI_Comm communicator);  // all its ranks
  Group(Group&& other) noexcept : handle(std::exchange(other.handle, MPI_GROUP_NULL)) {}
  Group& operator=(Group&&) = delete;
  ~Group() {
    if (handle != MPI_GROUP_NULL) MPI_Group_free(&handle);
  }
  MPI_Group handle = MPI_GROUP_NULL;
};

// A wait for a rank of a communicator (kAnySource: for whoever comes), which its token hears of once it has become a long one.
class LongWait {
 public:
  LongWait(const Communicator::Impl& impl, int peer) : impl_(impl), peer_(peer) {}
  LongWait(const LongWait&) = delete;
  LongWait& operator=(const LongWait&) = delete;
  ~LongWait() {
    if (told_) impl_.cancel->waits_no_longer();
  }
  void pause(Backoff& backoff) {
    if (backoff.pause() && !told_ && impl_.cancel != nullptr) tell();
  }

 private:
  void tell();

  const Communicator::Impl& impl_;
  int peer_;
  bool told_ = false;
};

// Tests `request` until it is complete, backing off. Gives it up and throws Cancelled once the token is released. `peer`: whom it is to
// or from; kAnySource for a collective.
MPI_Status complete(Communicator::Impl& impl, MPI_Request& request, Operation operation, int peer, const char* what);

struct Request::State {
  Communicator::Impl* impl = nullptr;
  MPI_Request handle = MPI_REQUEST_NULL;
  Operation operation = Operation::send;
  int peer = Communicator::kAnySource;
  Bytes buffer;
  Envelope envelope;
};

// MPI counts elements with an int. Throws Error (usage) for more.
int count_of(std::size_t elements);

}  // namespace edgelab::parallel
