#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab::batch {

enum class OutOfMemory { no, yes, unknown };

// How a rank ended, as its guard saw it.
struct RankEnd {
  int rank = 0;  // of the world
  std::string host;
  int signal = 0;  // that ended it, or 0
  int code = 0;    // its exit code where no signal ended it
  OutOfMemory out_of_memory = OutOfMemory::no;
  bool told = false;                    // it was told to end first: whatever it did then is no fault of its job
  std::vector<std::string> last_words;  // of its stderr
  bool operator==(const RankEnd&) const = default;
};

// A guard's report is one line on stderr,
//   edgelab-guard MARK {"rank":2,"host":"pi3","signal":11,…}
// where MARK is a word that the supervisor made up for this start of mpirun, so that nothing a job prints passes for one.
inline constexpr std::string_view kReportWord = "edgelab-guard";
// With its line feed. The ranks' output passes through mpirun in pieces of up to 4,096 bytes, between which other ranks'
// output may come; a report must fit into one.
inline constexpr std::size_t kMostReportBytes = 3500;

// The line, without a line feed. Of `last_words` the first go where they don't fit.
std::string report_line(RankEnd end, std::string_view mark);
// What follows "edgelab-guard MARK " up to the end of the line; nothing if it can't be read.
std::optional<RankEnd> read_report(std::string_view json);

// "rank 2 on pi3 was killed by SIGSEGV (segmentation fault)", "rank 2 on pi3 ended with exit code 7".
std::string text_of(const RankEnd& end);
std::string how_it_ended(const RankEnd& end);   // the same without the name
std::string last_words_of(const RankEnd& end);  // "; its last words: terminate called | what(): no", or empty
std::string signal_name(int signal);  // "SIGSEGV (segmentation fault)"

}  // namespace edgelab::batch
