#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "results/journal.hpp"

namespace edgelab::batch {

// What the journal keeps of a run beside its results, so that a supervisor can tell who was at work when mpirun died, and
// a restart goes on as if nothing had happened. Each is a fact of its own (results/journal.hpp); bodies are JSON.
//
// A session is one supervised batch over all its restarts, or one run by hand; the header of each of its runs has its name
// (older journals have it in a fact "session" behind the header). Within it a job that failed stays failed and
// attempts add up; a new session over the same journal (a plain --resume) tries everything again that is not done.

// The leader's exit code that asks its supervisor for a restart: a rank hangs in a job that ignores its cancel token, and
// other jobs need that rank. (EX_TEMPFAIL of sysexits.h; no exit code of docs/jobs.md.)
inline constexpr int kRestartWanted = 75;
// The same, for hosts that are away: what is left needs them, or they are back and take part from the next start on.
inline constexpr int kHostsWanted = 76;

struct StartFact {  // "start"
  std::string job;
  int attempt = 1;
  std::vector<int> ranks;          // of the world
  std::vector<std::string> hosts;  // by rank of the job
  bool operator==(const StartFact&) const = default;
};

struct AttemptFact {  // "attempt": it ended, its job did not
  std::string job;
  int attempt = 1;
  bool counts = true;  // false: it was a bystander of another job's crash, and the attempt is not held against it
  std::string reason;
  bool operator==(const AttemptFact&) const = default;
};

struct AddedFact {  // "added": jobs that joined the running batch
  std::string name;  // of the file, for messages
  std::string text;  // a resolved job file
  bool operator==(const AddedFact&) const = default;
};

std::string body_of(const StartFact& fact);
std::string body_of(const AttemptFact& fact);
std::string body_of(const AddedFact& fact);
std::string cancelled_body(const std::string& job);
std::string drained_body(const std::string& host, bool drained);

// What the facts say of their last session.
struct SessionState {
  std::string id;                              // empty: no session fact yet
  std::map<std::string, StartFact> running;    // by job: started by the last run, and not ended as far as the journal knows
  std::map<int, std::string> last_job;         // by rank: that the last run gave it last
  std::map<std::string, int> attempts;         // that count, by job; of jobs that have not ended
  std::map<std::string, results::Status> ended;  // jobs that ended in this session; an interrupted one has not
  std::set<std::string> cancelled;             // jobs
  std::set<std::string> drained;               // hosts
  std::vector<AddedFact> added;                // of all sessions
  std::size_t added_before = 0;                // of these, by earlier sessions
};

// Reads a journal fact by fact.
class SessionReader {
 public:
  // Throws Error (data) if a fact of these kinds can't be read.
  void read(const results::Fact& fact);
  const SessionState& state() const { return state_; }
  SessionState take() { return std::move(state_); }

 private:
  SessionState state_;
};

// What all of them say. Throws as SessionReader.
SessionState session_of(const std::vector<results::Fact>& facts);

}  // namespace edgelab::batch
