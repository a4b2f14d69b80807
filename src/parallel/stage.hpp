#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <span>
#include <vector>

#include "parallel/communicator.hpp"
#include "parallel/span_log.hpp"
#include "parallel/wire.hpp"
#include "runtime/executable.hpp"

namespace edgelab::parallel {

// Where a rank sits in a model that is cut into stages, each of which is held by `members` ranks (shares of the same layers, tensor or
// sequence parallel; one where nothing but layers is split). Ranks are numbered stage by stage.
struct Seat {
  int stage = 0, stages = 1;
  int member = 0, members = 1;

  static Seat of(int rank, int stages, int members) { return {rank / members, stages, rank % members, members}; }
  int rank_of(int other_stage, int other_member) const { return other_stage * members + other_member; }
  bool leads() const { return stage == 0 && member == 0; }  // rank 0: inputs start there, and answers come back
  bool last() const { return stage + 1 == stages; }
};

// One rank's part in a pipeline (Huang et al., GPipe, NeurIPS 2019, of which this is the forward half): micro-batches follow one
// another through the stages, sends and receives go on while a stage computes, and rank 0 keeps as many in flight as keep all stages
// busy, but no more, since each one more waits longer. Of one stage it is a plain loop.
//
// What goes from stage to stage are the outputs of one's executable, which are the inputs of the next one's (graph::cut), member to
// member, each message one micro-batch in the given wire format. The first output of the last stage's first member is the answer.
class Stage {
 public:
  // All must outlive it, `log` too, which takes what this rank does when; the executable has this rank's part, and its inputs and hooks are this object's. Answers are
  // `answer_floats` long. No message of others may be on the communicator while run() is under way. Not collective.
  Stage(const Communicator& communicator, const Seat& seat, runtime::Executable& executable, Wire wire, std::int64_t answer_floats, SpanLog& log);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  struct Answer {
    std::int64_t index = 0;  // of the micro-batch
    std::span<const float> values;
    std::int64_t entered_ns = 0, left_ns = 0;  // the first stage began; the answer was here
  };
  // Writes micro-batch `index` into the first stage's input; asked for in order, on rank 0.
  using Fill = std::function<void(std::int64_t index, Tensor input)>;
  // Given the answers in order, on rank 0.
  using Take = std::function<void(const Answer& answer)>;

  // Sends `count` micro-batches through all stages. Collective: every rank with the same count. Blocks until this rank's part is
  // done, on rank 0 until the last answer is here. Throws what fill and take throw, Cancelled, PeerFailed, and Error (environment) if
  // MPI fails; the communicator is then good for nothing but to be let go.
  void run(std::int64_t count, const Fill& fill, const Take& take);

  // Where the time of all runs went.
  struct Spans {
    std::int64_t compute_ns = 0;  // in the executable, what its own messages take included
    std::int64_t send_ns = 0, receive_ns = 0;  // to the wire format and back
    std::int64_t wait_ns = 0;     // for messages of other stages
  };
  const Spans& spans() const { return spans_; }

  // How many micro-batches rank 0 lets in at most before the first answer is back: one at work in each stage and one on each way.
  static int most_in_flight(int stages) { return stages == 1 ? 1 : 2 * stages; }

 private:
  void receive_ahead(std::int64_t index, std::int64_t count);
  void take_in(std::int64_t index, std::int64_t count);
  void hand_on(std::int64_t index, const Take& take);
  void collect(const Take& take, std::size_t leave);
  void compute();
  void progress() noexcept;
  template <class Wait> void waited(Wait wait);

  struct Entered {
    std::int64_t index = 0, entered_ns = 0, left_ns = 0;
    Request answer;
  };

  const Communicator& communicator_;
  Seat seat_;
  runtime::Executable& executable_;
  Wire wire_;
  std::int64_t answer_floats_;
  SpanLog& log_;
  std::vector<Tensor> inputs_, outputs_;  // of the executable
  std::deque<Request> receives_, sends_;
  std::deque<Entered> in_flight_;  // on rank 0, the oldest first
  std::int64_t entered_ns_ = 0;
  std::exception_ptr failure_;     // of progress(), which must not throw
  Spans spans_;
};

}  // namespace edgelab::parallel
