#include "batch/supervisor/journal_state.hpp"

#include <fmt/format.h>

#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {

int JournalState::attempts() const {
  int sum = 0;
  for (const auto& [job, count] : session.attempts) sum += count;
  return sum;
}

JournalState read_journal_state(const std::filesystem::path& journal) {
  JournalState state;
  if (!std::filesystem::exists(journal)) return state;
  state.facts = results::read_journal(journal).facts;
  state.session = session_of(state.facts);
  state.complete = !state.facts.empty() && state.facts.back().type == "run" &&
                   results::frame_from_json_text(state.facts.back().body).provenance.complete;
  return state;
}

void append_facts(const std::filesystem::path& journal, const std::vector<results::Fact>& facts) {
  if (facts.empty()) return;
  results::Journal file = results::Journal::append_to(journal);
  for (const results::Fact& fact : facts) file.append(fact.type, fact.body);
}

void wait_for_journal(const std::filesystem::path& journal, const std::function<void(const std::string&)>& say) {
  const std::int64_t begin = now_ns();
  for (bool said = false; std::filesystem::exists(journal);) {
    try {
      return results::refuse_if_written(journal);
    } catch (const Error&) {
      if (now_ns() - begin > std::chrono::nanoseconds(kHolderPatience).count()) throw;
    }
    if (!said && now_ns() - begin > 1'000'000'000) {
      say(fmt::format("a run still writes to {}; waiting for up to {} s for it to end", journal.string(), kHolderPatience.count()));
      said = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace edgelab::batch
