// How the members of a group make sure that all of them live, before they enter a call of MPI that they could not leave.
#include <utility>

#include "core/cancel.hpp"
#include "parallel/communicator_impl.hpp"
#include "parallel/failures.hpp"

namespace edgelab::parallel {
namespace {

// Members say to the first of the group that they are here, and the first answers: nothing, or one byte if they shall not
// go. It alone decides: if each went by what it knows itself of deaths, some would go and wait for the others for ever.
class Meeting {
 public:
  // Tags of users end at kTagLimit, Open MPI's at 2^31.
  Meeting(const Communicator::Impl& parent, int tag, const CancelToken* token)
      : parent_(parent), tag_(Communicator::kTagLimit + tag), token_(token) {}

  void lead(std::span<const int> others) {
    try {
      for (const int rank : others) receive(rank, [this] { require_no_failures(); });
      require_no_failures();
    } catch (const PeerFailed&) {
      for (const int rank : others) call_off(rank);
      throw;
    }
    // Once its members stop, a group must not begin: who has been told to go would wait for the others.
    if (token_ != nullptr && token_->stopping()) throw Cancelled();
    for (const int rank : others) check(parent_, send(rank, 0), kWhat);
  }

  void join(int first) {
    check(parent_, send(first, 0), kWhat);
    if (receive(first, [] {}) > 0) throw PeerFailed(failed_ranks(parent_.handle));
  }

 private:
  void require_no_failures() const {
    std::vector<int> failed = failed_ranks(parent_.handle);
    if (!failed.empty()) throw PeerFailed(std::move(failed));
  }

  // So small that MPI keeps a copy: done when it returns.
  int send(int rank, int bytes) const {
    const char content = 0;
    return MPI_Send(&content, bytes, MPI_BYTE, rank, tag_, parent_.handle);
  }
  void call_off(int rank) const { static_cast<void>(send(rank, 1)); }  // to the dead too; what of it

  // The bytes received. Calls `look` while it waits.
  template <class Look>
  int receive(int rank, Look look) const {
    MPI_Request request = MPI_REQUEST_NULL;
    char content = 0;
    check(parent_, MPI_Irecv(&content, 1, MPI_BYTE, rank, tag_, parent_.handle, &request), kWhat);
    Backoff backoff(parent_.waiting);
    MPI_Status status{};
    try {
      while (true) {
        int done = 0;
        check(parent_, MPI_Test(&request, &done, &status), kWhat);
        if (done != 0) return size_of(status);
        if (token_ != nullptr && token_->released()) throw Cancelled();
        look();
        backoff.pause();
      }
    } catch (...) {
      if (!taken_back(request, status)) return size_of(status);
      throw;
    }
  }

  // False if the message has come after all: then its sender counts on this rank.
  static bool taken_back(MPI_Request& request, MPI_Status& status) {
    if (request == MPI_REQUEST_NULL) return true;
    int cancelled = 0;
    MPI_Cancel(&request);
    return MPI_Wait(&request, &status) != MPI_SUCCESS || MPI_Test_cancelled(&status, &cancelled) != MPI_SUCCESS ||
           cancelled != 0;
  }

  static int size_of(const MPI_Status& status) {
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    return bytes;
  }

  static constexpr const char* kWhat = "the ranks of a job could not meet";
  const Communicator::Impl& parent_;
  int tag_;
  const CancelToken* token_;
};

}  // namespace

void meet(const Communicator::Impl& parent, std::span<const int> ranks, int tag, const CancelToken* token) {
  Meeting meeting(parent, tag, token);
  if (parent.rank == ranks.front()) {
    meeting.lead(ranks.subspan(1));
  } else {
    meeting.join(ranks.front());
  }
}

}  // namespace edgelab::parallel
