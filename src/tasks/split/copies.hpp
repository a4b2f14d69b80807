#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/loader.hpp"
#include "parallel/communicator.hpp"

namespace edgelab::tasks {

// Data-parallel copies of a split model (`parallel.data`): each is held by as many consecutive ranks, so that they share as few hosts
// as they can, and answers a contiguous shard of the data set. The first rank of a copy leads it.
class Copies {
 public:
  // `count` divides the job's ranks, or Error (usage). Collective over them; `job` must outlive this.
  Copies(const parallel::Communicator& job, int count);

  const parallel::Communicator& job() const { return job_; }
  const parallel::Communicator& own() const { return own_ ? *own_ : job_; }  // the ranks of this rank's copy
  int count() const { return count_; }
  int index() const { return job_.rank() / (job_.size() / count_); }  // of this rank's copy
  bool leads() const { return own().rank() == 0; }
  std::string words() const;  // what a rank's role begins with: "copy 1 of 2, ", or nothing of one copy
  data::Shard shard_of(std::int64_t samples) const { return data::shard_of(samples, index(), count_); }

  // The ranks that sit in the same place of each copy, in the copies' order; none where there is one copy. Collective over the job.
  std::optional<parallel::Communicator> make_peers() const;

  // The sum, and the largest, of what the copies' leaders say; on every rank. Collective over the job.
  std::int64_t sum(std::int64_t value) const;
  std::int64_t most(std::int64_t value) const;

 private:
  const parallel::Communicator& job_;
  int count_;
  std::optional<parallel::Communicator> own_;  // where there are several
};

}  // namespace edgelab::tasks
