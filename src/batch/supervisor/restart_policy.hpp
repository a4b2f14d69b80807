#pragma once

#include <chrono>
#include <optional>

namespace edgelab::batch {

// When mpirun is started again, and when no more. A restart after which something came to its end (a job ended, or an
// attempt was held against one) was worth it; after too many others in a row the batch is given up. Pure.
class RestartPolicy {
 public:
  static constexpr int kMostFruitless = 6;   // 1 + 2 + 4 + 8 + 16 s of waiting
  static constexpr int kMostStillborn = 3;  // starts after which the leader never got to write a word

  // After an end. `began`: the leader wrote to the journal. How long to wait before the next start; nothing: give up.
  std::optional<std::chrono::seconds> after_end(bool began, bool progress);

 private:
  int fruitless_ = 0, stillborn_ = 0;
};

}  // namespace edgelab::batch
