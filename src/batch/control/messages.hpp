#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parallel/request.hpp"

namespace edgelab::batch {

// What the control plane says. An attempt is named by its tag, which also keeps its communicator's construction apart.
// The kind travels as the MPI tag.
enum class Kind : int {
  assign,        // controller → members: run this
  cancel,        // controller → members: begin no new communication
  acknowledged,  // member → controller: none begins here any more
  release,       // controller → members: what still waits may give up
  progress,      // leader → controller
  ended,         // member → controller
  signalled,     // any rank → controller: a signal came
  shutdown       // controller → all: leave the loop
};

struct Assign {
  int tag = 0;
  int attempt = 1;
  std::vector<int> ranks;  // of the world; the first leads
  std::string resolved;    // JobSpec::resolved
  bool want_logits = false;
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & tag & attempt & ranks & resolved & want_logits; }
};

// cancel, acknowledged, release, signalled (the signal's number)
struct Number {
  int value = 0;
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & value; }
};

struct Progress {
  int tag = 0;
  double fraction = 0;
  std::string text;
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & tag & fraction & text; }
};

enum class MemberEnd : int { ok, failed, cancelled };

struct Ended {
  int tag = 0;
  int end = 0;        // MemberEnd
  int exit_code = 1;  // of the failure
  std::string error;
  std::vector<std::uint8_t> record;  // results::to_bytes of the JobRecord; the leader's only
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & tag & end & exit_code & error & record; }
};

struct Shutdown {
  int exit_code = 0;
  bool orderly = true;  // false: leave without MPI_Finalize
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & exit_code & orderly; }
};

template <class Message> parallel::Bytes encode(const Message& message);
template <class Message> Message decode(const parallel::Bytes& bytes);

}  // namespace edgelab::batch
