#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.hpp"
#include "parallel/communicator.hpp"

namespace edgelab::batch {

// Makes the communicators of jobs, and goes on when ranks die (parallel/failures.hpp).
//
// A job's communicator has a parent, made of every rank, and once one of those has died Open MPI 5 makes no more of it:
// MPI_Comm_create_group then fails on some members and hangs on others. So the survivors make a parent of their own, of the
// next generation, and every job comes together on the parent of the generation that its controller knew. (A communicator made
// without a parent for each job would be simpler, but the hundredth takes 100 ms.)
class JobCommunicators {
 public:
  // `first`, of every rank of the world, is the parent of generation 0. `hangs` is called, by another thread, if a call of
  // make() did not survive another rank's death: it will never return.
  JobCommunicators(parallel::Communicator first, std::function<void()> hangs);
  ~JobCommunicators();
  JobCommunicators(const JobCommunicators&) = delete;
  JobCommunicators& operator=(const JobCommunicators&) = delete;

  // The survivors of the world, of which this rank is one, make a parent, in a thread of its own: if one of them dies
  // meanwhile that thread waits for ever, and the next generation is made without it. Never blocks. Any thread.
  void regroup(int generation, const std::vector<int>& survivors);

  // The communicator of `ranks` of the world. Collective over them. Throws Cancelled, and PeerFailed where ranks have died
  // that the controller did not know of when it chose this generation. One thread at a time.
  parallel::Communicator make(const std::vector<int>& ranks, int tag, int generation,
                              const std::shared_ptr<const CancelToken>& token) const;

 private:
  struct Parent {
    int generation = 0;
    std::vector<int> ranks;                                      // of the world
    std::shared_ptr<const parallel::Communicator> communicator;  // empty until it is made
    std::string failure;                                         // why it can't be
  };
  struct Shared {  // with threads that may outlive this object
    std::mutex mutex;
    Parent newest;
    std::optional<int> making;  // make() is at work on the parent of this generation
    std::function<void()> hangs;
  };
  static void make_parent(Shared& shared, int generation, const std::vector<int>& survivors);
  static void look_after_older(Shared& shared, int generation);
  Parent newest() const;
  Parent parent_of(int generation, const std::shared_ptr<const CancelToken>& token) const;

  std::shared_ptr<Shared> shared_;
};

}  // namespace edgelab::batch
