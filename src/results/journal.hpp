#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file.hpp"
#include "results/job_record.hpp"
#include "results/journal_line.hpp"

// The journal: what has been finished, line by line, on disk before anything else learns of it. One line is
//   {"sha256":"<64 hex>","type":"<word>","body":{…}}
// and the sum is over everything after the comma that follows it, up to and without the closing line feed. Types: "header"
// (first; everything of the run but its jobs, and its session), "order" (ids of the jobs as in the job file), "taken_over"
// (ids of the earlier records that stand for the run that the last header began; the others are of what was run before),
// "run" (as "header", later), "job", and any word that others add; readers skip types they don't know.
//
// Not every line is acknowledged: one that nobody depends on (who started what) is written without a wait for the disk and
// gets there with the next line that waits. A power cut can then leave any of the lines behind the last wait damaged, an
// earlier one as well as a later one, since pages reach the disk in any order; it never touches what was acknowledged. To
// tell that from a journal that is really damaged, a line that follows such lines says how much of the file was on disk
// when it was written:
//   {"sha256":"<64 hex>","type":"<word>","synced":<bytes>,"body":{…}}
// A line without the number says that everything before it was. So:
//   - a damaged stretch that a later whole line calls on disk is an error, since it held what was acknowledged;
//   - any other was never acknowledged: it is left out with a note, and the whole lines behind it count. Who goes on
//     writing behind it first adds a line "lost" with {"begin":<byte>,"end":<byte>}: later lines then don't accuse it.
namespace edgelab::results {

struct JournalContent {
  std::vector<Fact> facts;
  std::uint64_t sound_bytes = 0;  // length up to the end of the last whole line
  std::vector<LostStretch> lost;  // damaged stretches before that which no "lost" line tells of yet
  std::string note;               // what was left out, or empty
};

// d/k.h5 → d/k.journal
std::filesystem::path journal_path_of(const std::filesystem::path& results_file);

// A damaged end was never acknowledged or can't be told from one that was not. Throws Error (environment) if the file can't
// be read, Error (data), naming the line, for damage to what was acknowledged.
JournalContent read_journal(const std::filesystem::path& path);

// What read_journal() makes of these bytes; `name` is what errors call them.
JournalContent parse_journal(std::string_view text, const std::string& name);

// The run that the facts tell of: jobs in the order of the job file, where one is known, else of their first fact; a later
// fact of the same id in the place of the earlier. Where the last run went on from earlier ones, what it did not take over is
// left out. Without a final "run" fact that says so it is not complete. Throws Error (data).
RunRecord run_from_facts(const std::vector<Fact>& facts);

// The last record of every job, whatever run it is of, in that order: what a run may go on from. Throws Error (data).
std::vector<JobRecord> jobs_from_facts(const std::vector<Fact>& facts);

enum class Durability {
  now,    // on disk (fsync) when the call returns, with everything before it
  later,  // with the next line that is: for what nobody is told of
};

// The one live writer. Holds an exclusive lock (flock) on the file as long as it lives.
class Journal {
 public:
  // A new file; none of that name may exist. Throws Error (environment).
  static Journal create(const std::filesystem::path& path);
  // Goes on behind the last whole line of an earlier file, all of which is on disk when it returns; a torn one is cut off.
  // Throws Error (environment) if another process writes to it.
  static Journal append_to(const std::filesystem::path& path);

  // Throws Error (environment); then nothing of the line remains, and if even that could not be had the journal takes no
  // more. `body` is JSON on one line.
  void append(std::string_view type, std::string_view body, Durability durability = Durability::now);

  // Everything appended is on disk when it returns. Throws Error (environment): what of it is, is unknown then, and the journal
  // takes no more.
  void bring_to_disk();
  std::uint64_t length() const { return length_; }  // bytes
  std::uint64_t on_disk() const { return synced_; }  // of these, for certain

  // What stood in the file when it was opened; empty from the second call on.
  JournalContent take_earlier() { return std::exchange(earlier_, {}); }

 private:
  Journal(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  int sync();  // 0 or the errno

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t length_ = 0, synced_ = 0;  // bytes; synced_: of these on disk for certain
  bool broken_ = false;
  JournalContent earlier_;
};

// Throws Error (environment) if a live run holds the journal. A lock that goes within 200 ms is none of a run's: whoever asks
// is_written() holds one for a moment. The same for all that opens a journal to write.
void refuse_if_written(const std::filesystem::path& journal);

// True if a live run holds it, as far as this process can see: false too for a file that it may not read.
bool is_written(const std::filesystem::path& journal);

// Renames the file or folder, if there is one, to NAME.old; an older one of that name goes. On disk when it returns. Throws
// Error (environment).
void keep_as_old(const std::filesystem::path& path);

// Makes room for a run's files. Without `resume` a results file and journal that stand there are moved to *.old (older ones
// of that name go), and so is what stands `beside` them and belongs to them; a journal without a single whole line is
// removed, for a run that was killed before its first word must not take the place of the one before it. Throws
// Error (environment) if the folder is missing or another run is writing there.
void prepare_output(const std::filesystem::path& results_file, bool resume, const std::vector<std::filesystem::path>& beside = {});

}  // namespace edgelab::results
