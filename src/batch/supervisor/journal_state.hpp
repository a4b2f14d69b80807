#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "batch/session.hpp"
#include "results/journal.hpp"

namespace edgelab::batch {

// A journal as a supervisor finds it between two runs of mpirun.
struct JournalState {
  std::vector<results::Fact> facts;
  SessionState session;
  bool complete = false;  // the last fact says that every job has ended

  std::size_t ended() const { return session.ended.size(); }
  int attempts() const;  // that count, of jobs that have not ended
};

// Nothing is fine: then there are no facts. Throws Error (data) if it is damaged.
JournalState read_journal_state(const std::filesystem::path& journal);

// Appends the facts; each is on disk when it returns.
void append_facts(const std::filesystem::path& journal, const std::vector<results::Fact>& facts);

// Waits until no run holds the journal: the ranks of a run whose mpirun or supervisor was killed live on for a moment.
// `say` is told if that takes longer than a second. Throws Error (environment) after kHolderPatience.
inline constexpr std::chrono::seconds kHolderPatience{20};
void wait_for_journal(const std::filesystem::path& journal, const std::function<void(const std::string&)>& say);

}  // namespace edgelab::batch
