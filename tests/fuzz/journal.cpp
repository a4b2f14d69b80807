// A journal: its lines, the run that its facts tell of, and the session. The checksums would keep every changed line out, so
// each line of the input is given the one that fits, unless it begins with "!": that one stands as it is, without the mark.
#include "results/journal.hpp"

#include <string>
#include <string_view>

#include "batch/session.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "fuzz/memory_file.hpp"
#include "results/json/record_json.hpp"

namespace {

using namespace edgelab;

std::string with_checksums(std::string_view text) {
  std::string journal;
  while (!text.empty()) {
    const std::size_t feed = text.find('\n');
    const std::string_view line = text.substr(0, feed);
    if (line.starts_with('!'))
      journal += line.substr(1);
    else
      journal.append("{\"sha256\":\"").append(sha256_of_text(line)).append("\",").append(line);
    if (feed == std::string_view::npos) break;
    journal += '\n';
    text.remove_prefix(feed + 1);
  }
  return journal;
}

template <class Work>
void attempt(Work work) {
  try {
    work();
  } catch (const Error&) {
  }
}

void check_run(const results::RunRecord& run) {
  const results::RunRecord again = results::frame_from_json_text(results::frame_json_text(run));
  fuzz::require(results::frame_json_text(again) == results::frame_json_text(run));
  for (const results::JobRecord& job : run.jobs) {
    const std::string text = results::to_json_text(job);
    fuzz::require(results::to_json_text(results::job_record_from_json_text(text)) == text);
    fuzz::require(results::to_json_text(results::job_record_from_bytes(results::to_bytes(job))) == text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = with_checksums({reinterpret_cast<const char*>(data), size});
  attempt([&] {
    const results::JournalContent content = results::parse_journal(text, "fuzzed");
    fuzz::require(content.sound_bytes <= text.size());
    attempt([&] { batch::session_of(content.facts); });
    results::RunRecord run;
    attempt([&] { run = results::run_from_facts(content.facts); });
    check_run(run);
  });
  return 0;
}
