// How the members of a group make sure that all of them live, before they enter a call of MPI that they could not leave.
#include <algorithm>
#include <utility>

#include "core/cancel.hpp"
#include "core/clock.hpp"
#include "parallel/communicator_impl.hpp"
#include "parallel/failures.hpp"

namespace edgelab::parallel {
namespace {

// Longer than any message of one byte is on its way.
constexpr std::int64_t kAnswerPatienceNs = 2'000'000'000;

enum class Word : char { here, go, peer_failed, cancelled };

// Members say to the first of the group, the leader, that they are here, and get an answer. The leader alone decides: if each
// went by what it knows itself, some would go and wait for the others for ever. Therefore the leader answers everybody, whatever
// happens, and nobody else leaves before the answer but when the leader dies, or is silent for long after all was called off.
class Meeting {
 public:
  // Tags of users end at kTagLimit, Open MPI's at 2^31.
  Meeting(const Communicator::Impl& parent, std::span<const int> members, int tag, const CancelToken* token)
      : parent_(parent), members_(members), tag_(Communicator::kTagLimit + tag), token_(token) {}

  void lead() const {
    auto untold = members_.subspan(1);
    try {
      for (const int rank : members_.subspan(1)) await_member(rank);
      // Once its members stop, a group must not begin: who has been told to go would wait for the others.
      if (token_ != nullptr && token_->stopping()) throw Cancelled();
      require_members_alive();
      for (; !untold.empty(); untold = untold.subspan(1)) check(parent_, say(Word::go, untold.front()), kWhat);
    } catch (const PeerFailed&) {
      answer(untold, Word::peer_failed);
      throw;
    } catch (...) {
      answer(untold, Word::cancelled);
      throw;
    }
  }

  void join() const {
    check(parent_, say(Word::here, members_.front()), kWhat);
    switch (await_answer()) {
      case Word::peer_failed: throw PeerFailed(failed_members());
      case Word::cancelled: throw Cancelled();
      default: return;
    }
  }

 private:
  // So small that MPI keeps a copy: done when it returns.
  int say(Word word, int rank) const { return MPI_Send(&word, 1, MPI_BYTE, rank, tag_, parent_.handle); }

  void answer(std::span<const int> ranks, Word word) const {
    for (const int rank : ranks) static_cast<void>(say(word, rank));  // to the dead too; what of it
  }

  void await_member(int rank) const {
    receive(rank, [this] {
      if (token_ != nullptr && token_->released()) throw Cancelled();
      require_members_alive();
    });
  }

  // An answer comes by another way than the release, and may come after it though it was given before.
  Word await_answer() const {
    std::int64_t give_up_ns = 0;
    return receive(members_.front(), [&] {
      if (token_ == nullptr || !token_->released()) return;
      if (give_up_ns == 0) give_up_ns = now_ns() + kAnswerPatienceNs;
      if (now_ns() >= give_up_ns) throw Cancelled();
    });
  }

  std::vector<int> failed_members() const {
    std::vector<int> failed = failed_ranks(parent_.handle);
    std::erase_if(failed, [this](int rank) { return std::find(members_.begin(), members_.end(), rank) == members_.end(); });
    return failed;
  }

  void require_members_alive() const {
    std::vector<int> failed = failed_members();
    if (!failed.empty()) throw PeerFailed(std::move(failed));
  }

  // What the rank says. Calls `look`, which may throw, while it waits.
  template <class Look> Word receive(int rank, Look look) const {
    MPI_Request request = MPI_REQUEST_NULL;
    Word word{};
    check(parent_, MPI_Irecv(&word, 1, MPI_BYTE, rank, tag_, parent_.handle, &request), kWhat);
    Backoff backoff(parent_.waiting);
    try {
      while (true) {
        int done = 0;
        check(parent_, MPI_Test(&request, &done, MPI_STATUS_IGNORE), kWhat);
        if (done != 0) return word;
        look();
        backoff.pause();
      }
    } catch (...) {
      if (!taken_back(request)) return word;
      throw;
    }
  }

  // False if the message has come after all: then its sender counts on this rank.
  static bool taken_back(MPI_Request& request) {
    if (request == MPI_REQUEST_NULL) return true;
    MPI_Status status{};
    int cancelled = 0;
    MPI_Cancel(&request);
    return MPI_Wait(&request, &status) != MPI_SUCCESS || MPI_Test_cancelled(&status, &cancelled) != MPI_SUCCESS ||
           cancelled != 0;
  }

  static constexpr const char* kWhat = "the ranks of a job could not meet";
  const Communicator::Impl& parent_;
  std::span<const int> members_;
  int tag_;
  const CancelToken* token_;
};

}  // namespace

void meet(const Communicator::Impl& parent, std::span<const int> ranks, int tag, const CancelToken* token) {
  const Meeting meeting(parent, ranks, tag, token);
  if (parent.rank == ranks.front()) {
    meeting.lead();
  } else {
    meeting.join();
  }
}

}  // namespace edgelab::parallel
