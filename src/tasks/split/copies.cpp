#include "tasks/split/copies.hpp"

#include <vector>

#include "core/error.hpp"

namespace edgelab::tasks {

Copies::Copies(const parallel::Communicator& job, int count) : job_(job), count_(count) {
  if (job.size() % count != 0) {
    throw Error(ErrorKind::usage, "the ranks of a job can't be shared out to its copies of the model")
        .got(std::to_string(job.size()) + " ranks, " + std::to_string(count) + " copies")
        .hint("parallel.data must divide the job's ranks");
  }
  if (count == 1) return;
  const int size = job.size() / count;
  std::vector<int> ranks;
  for (int rank = 0; rank < size; ++rank) ranks.push_back(index() * size + rank);
  own_.emplace(job.create_group(ranks, 0));
}

std::string Copies::words() const { return count_ == 1 ? "" : "copy " + std::to_string(index() + 1) + " of " + std::to_string(count_) + ", "; }

std::optional<parallel::Communicator> Copies::make_peers() const {
  if (count_ == 1) return std::nullopt;
  const int size = job_.size() / count_;
  std::vector<int> ranks;
  for (int copy = 0; copy < count_; ++copy) ranks.push_back(copy * size + job_.rank() % size);
  return job_.create_group(ranks, 1);
}

std::int64_t Copies::sum(std::int64_t value) const { return job_.all_reduce(leads() ? value : std::int64_t{0}, parallel::Reduction::sum); }

std::int64_t Copies::most(std::int64_t value) const { return job_.all_reduce(leads() ? value : std::int64_t{0}, parallel::Reduction::max); }

}  // namespace edgelab::tasks
