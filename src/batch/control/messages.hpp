#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parallel/request.hpp"
#include "tasks/progress_report.hpp"

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

// The weights that a job has made, as a safetensors file holds them.
struct JobWeights {
  std::string job;
  std::vector<std::uint8_t> file;
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & job & file; }
};

struct Assign {
  int tag = 0;
  int attempt = 1;
  std::vector<int> ranks;  // of the world; the first leads
  std::string resolved;    // JobSpec::resolved
  bool want_logits = false;
  std::string folder;               // the job's own, on rank 0's host; empty: none
  std::vector<JobWeights> weights;  // that it reads
  template <class Archive> void serialize(Archive& archive, unsigned) {
    archive & tag & attempt & ranks & resolved & want_logits & folder & weights;
  }
};

// cancel, release: the tag; signalled: the signal's number
struct Number {
  int value = 0;
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & value; }
};

// What the member was waiting for until then, if `waited_ns` is not 0: `peer`, or CancelToken::kEverybody.
struct Acknowledged {
  int tag = 0;
  int peer = 0;
  std::int64_t waited_ns = 0;
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & tag & peer & waited_ns; }
};

struct Progress {
  int tag = 0;
  tasks::ProgressReport report;
  template <class Archive> void serialize(Archive& archive, unsigned) {
    archive & tag & report.fraction & report.text;
    optional(archive, report.loss);
    optional(archive, report.samples_per_second);
    optional(archive, report.left_ns);
  }

 private:
  template <class Archive, class Value> static void optional(Archive& archive, std::optional<Value>& value) {
    bool there = value.has_value();
    archive & there;
    if (!there) return value.reset();
    if (!value) value.emplace();
    archive & *value;
  }
};

// orphaned: it lost a peer, and so it lost the attempt
enum class MemberEnd : int { ok, failed, cancelled, orphaned };

struct Ended {
  int tag = 0;
  int end = 0;        // MemberEnd
  int exit_code = 1;  // of the failure
  std::string error;
  std::vector<std::uint8_t> record;   // results::to_bytes of the JobRecord; the leader's only
  std::vector<std::uint8_t> weights;  // that the job has made, as a safetensors file; the leader's only, mostly empty
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & tag & end & exit_code & error & record & weights; }
};

struct Shutdown {
  int exit_code = 0;
  bool orderly = true;  // false: leave without MPI_Finalize
  template <class Archive> void serialize(Archive& archive, unsigned) { archive & exit_code & orderly; }
};

template <class Message> parallel::Bytes encode(const Message& message);
template <class Message> Message decode(const parallel::Bytes& bytes);

}  // namespace edgelab::batch
