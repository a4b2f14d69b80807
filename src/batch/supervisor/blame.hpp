#pragma once

#include <map>
#include <string>
#include <vector>

#include "batch/session.hpp"
#include "batch/supervisor/rank_end.hpp"
#include "results/journal.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// How a run of mpirun ended, as far as anybody told.
struct MpirunEnd {
  int code = 0;                         // its exit code, or 128 + the signal that killed it
  std::vector<RankEnd> ranks;           // the guards' reports, in the order in which they came
  std::vector<std::string> lost_hosts;  // that can't be reached any more
};

enum class Outcome {
  finished,        // the leader says how the batch ended
  restart_wanted,  // a rank hangs in a job, or has died, and others need it; the leader has dealt with the rest
  hosts_wanted,    // what is left is for hosts that were away
  crashed
};

struct Verdict {
  Outcome outcome = Outcome::crashed;
  int exit_code = 1;  // of `finished`; of `crashed` what the leader said, if it got to say anything
  bool leader_ended = false;  // by itself, and so has written the results file if it could
};

// `complete`: the journal's last fact says that every job has ended. `began`: this run wrote to the journal. A leader that
// refuses to begin, with exit code 1, 2 or 3, has finished; one that ends so in the middle has not.
Verdict verdict_of(const MpirunEnd& end, bool complete, bool began);

// Who brought mpirun down.
struct Finding {
  struct Culprit {
    std::string job, reason;
    int rank = -1;  // that died; -1: none is known
  };
  std::vector<Culprit> culprits;
  std::vector<Culprit> survived;  // deaths that the run outlived: rank 0 has dealt with their jobs, but hosts are judged by them too
  std::string what;        // happened, in a sentence
  bool explained = false;  // somebody, or something, is known to be at fault
};

// Tells culprits from bystanders. A crash in one job hurts only that job: the attempts of the others are not counted.
//
// - A rank that died of a signal before anybody told it to end takes the blame to the job that it worked for; so does one
//   with a strange exit code if it was the first to end, since later ones may just have lost their peer.
// - The leader's rank, killed by SIGKILL for no known reason, blames nobody: so dies a whole run that somebody kills.
// - Where ranks survive each other, a rank that died and whose job is no longer at work blames nobody: rank 0 has seen to it.
// - Whoever dies after rank 0 may have died of that: Open MPI 5 itself crashes on ranks that were just making a communicator with it.
// - A lost host blames nobody.
// - If nothing explains the end nobody is blamed either, but a job that was at work in three such ends in a row is: a batch
//   must come to its end.
//
// Pure, but for the memory of those ends.
class Blame {
 public:
  static constexpr int kMostUnexplained = 3;

  // `state`: of the journal as mpirun left it.
  Finding find(const MpirunEnd& end, const SessionState& state);

 private:
  void blame_for_unexplained(Finding& finding, const SessionState& state);

  std::map<std::string, int> unexplained_;  // by job: ends in a row
};

using JobTable = std::map<std::string, const tasks::JobSpec*>;  // by id

// What the journal is to be told of a finding: an "attempt" for every job at work, and behind that a "job" for culprits that
// have no attempt left. Jobs that are not in the table have no retries.
std::vector<results::Fact> facts_of(const Finding& finding, const SessionState& state, const JobTable& jobs, std::int64_t wall_ns);

}  // namespace edgelab::batch
