#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "results/job_record.hpp"
#include "results/journal.hpp"

namespace edgelab::results {

// Rank 0's keeper of a run's results: every finished job goes to the journal at once and to the results file at the end and
// on a growing timer (first after 10 s, then twice as long, up to 10 min, and never more than a twentieth of the time),
// never per job. Jobs that end within a second of each other may share one wait for the disk, which wears cards less: add them
// for later, and tell nobody of them before sync_if_due() says that they are there. One thread uses it.
class Recorder {
 public:
  // Prepares the place (prepare_output, which `beside` is for), writes the journal's header. With `resume`, finished jobs of
  // the earlier runs are read first; where there is no earlier journal it starts afresh. `order`: ids of the jobs as in the
  // job file, which is the order of the results; ids that are not in it follow in order of adding. `header.jobs` is ignored.
  // `session`: whose run it is, for the header: from its first line on the journal tells whose it is.
  // Throws Error: environment if the place can't be written or another run writes there, data if the journal is damaged.
  Recorder(std::filesystem::path results_file, RunRecord header, bool resume = false,
           std::vector<std::string> order = {}, const std::string& session = "",
           const std::vector<std::filesystem::path>& beside = {});

  // Jobs that earlier runs finished (any status), in their order. Empty without resume.
  const std::vector<JobRecord>& earlier() const { return earlier_; }
  // A line on a torn journal, or empty: for the user.
  const std::string& note() const { return note_; }

  // The earlier job's record, kept as it is. Throws std::out_of_range if there is none.
  const JobRecord& take_over(std::string_view id);
  // Says in the journal which records were taken over: the others are of what was run before, and a repair leaves them out.
  // On disk when it returns. Before the first add().
  void settle();
  // With the hosts' idle power taken off its energy. On disk when it returns (fsync), unless that is for later. A record of the
  // same id goes. Throws Error (environment); then it was not added.
  const JobRecord& add(JobRecord job, Durability durability = Durability::now);
  // Brings jobs that were added for later to disk, if that was last done kSyncInterval ago or longer: one that ends alone doesn't
  // wait. True if all jobs are there. Throws Error (environment): then nobody knows, and nothing more can be added.
  bool sync_if_due(std::int64_t now = now_ns());
  static constexpr std::int64_t kSyncInterval = 1'000'000'000;
  // The same at once, for who is asked what has been done.
  void sync();
  // Hosts, links and provenance as they are known now. On disk when it returns.
  void update_frame(Provenance provenance, std::vector<HostRecord> hosts, LinkTable links);
  // A fact of another kind, for the journal alone ("start", …). `body` is one line of JSON.
  void note_fact(std::string_view type, std::string_view body, Durability durability = Durability::now) {
    journal_.append(type, body, durability);
  }

  // What is known, jobs in order.
  const RunRecord& run() const { return run_; }
  const JobRecord* find(std::string_view id) const;

  // Writes the results file if there is something new and the time has come.
  void flush_if_due(std::int64_t now = now_ns());
  void flush();
  // Sets the end and whether the run is complete, in journal and file. Throws Error (environment); an earlier results file
  // then still stands, and the journal keeps every job.
  void finish(bool complete);

 private:
  using Places = std::map<std::string, std::size_t, std::less<>>;

  void place(JobRecord job);

  std::filesystem::path results_file_;
  Places order_;                    // rank of each id: as in the job file, then as they came
  RunRecord run_;                   // jobs by rank
  std::vector<std::size_t> ranks_;  // of run_.jobs, so that ten thousand are placed and found by bisection
  Journal journal_;
  std::vector<JobRecord> earlier_;
  Places earlier_places_;
  std::vector<std::string> taken_over_;
  std::string note_;
  bool changed_ = true;
  std::uint64_t owed_ = 0;  // bytes of the journal, up to the last job
  std::int64_t next_sync_ns_ = 0;
  std::int64_t next_flush_ns_;
  std::int64_t flush_interval_ns_;
};

}  // namespace edgelab::results
