#include "results/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::results {
namespace {

constexpr std::string_view kBeforeSum = "{\"sha256\":\"";
constexpr std::string_view kBeforeType = "\"type\":\"";
constexpr std::string_view kBeforeBody = "\",\"body\":";
constexpr std::size_t kSumLength = 64;

std::string line_of(std::string_view type, std::string_view body) {
  std::string checked =
      std::string(kBeforeType) + std::string(type) + std::string(kBeforeBody) + std::string(body) + "}";
  return std::string(kBeforeSum) + sha256_of_text(checked) + "\"," + checked;
}

// False if the line, without its line feed, is not whole.
bool parse_line(std::string_view line, Fact& fact) {
  constexpr std::size_t kChecked = kBeforeSum.size() + kSumLength + 2;
  if (line.size() < kChecked || !line.starts_with(kBeforeSum) || line.substr(kChecked - 2, 2) != "\",") return false;
  const std::string_view sum = line.substr(kBeforeSum.size(), kSumLength);
  std::string_view checked = line.substr(kChecked);
  if (sha256_of_text(checked) != sum || !checked.starts_with(kBeforeType) || !checked.ends_with('}')) return false;
  checked.remove_prefix(kBeforeType.size());
  const std::size_t type_end = checked.find(kBeforeBody);
  if (type_end == std::string_view::npos) return false;
  fact.type = checked.substr(0, type_end);
  checked.remove_prefix(type_end + kBeforeBody.size());
  checked.remove_suffix(1);
  fact.body = checked;
  return true;
}

JournalContent parse_journal(const std::filesystem::path& path, std::string_view text) {
  JournalContent content;
  int line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = text.find('\n');
    const bool last = end == std::string_view::npos || end + 1 == text.size();
    Fact fact;
    if (end == std::string_view::npos || !parse_line(text.substr(0, end), fact)) {
      if (!last) {
        throw Error(ErrorKind::data, "this line of the journal is damaged: its checksum does not fit")
            .at({path.string(), line_number})
            .hint("a copy of the file from before may help; lines after it can't be trusted either");
      }
      content.note = path.string() + ":" + std::to_string(line_number) +
                     ": the last line is torn (a write that never ended) and was left out";
      return content;
    }
    content.facts.push_back(std::move(fact));
    content.sound_bytes += end + 1;
    text.remove_prefix(end + 1);
  }
  return content;
}

FileDescriptor open_locked(const std::filesystem::path& path, int flags) {
  FileDescriptor file = open_file(path, flags | O_RDWR | O_NOFOLLOW);
  if (!file.open()) {
    if (errno == EEXIST) {
      throw Error(ErrorKind::environment, "another run has just started to write here")
          .at({path.string()})
          .hint("name another place with --out");
    }
    throw write_error("the journal can't be opened", path, errno);
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      throw Error(ErrorKind::environment, "another run is writing to these results")
          .at({path.string()})
          .hint("wait for it, or name another place with --out");
    }
    throw write_error("the journal can't be locked", path, errno);
  }
  return file;
}

bool there(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

std::filesystem::path journal_path_of(const std::filesystem::path& results_file) {
  std::filesystem::path path = results_file;
  return path.replace_extension(".journal");
}

JournalContent read_journal(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    throw file_error("the journal can't be read", path, file ? EISDIR : errno);
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) throw file_error("the journal can't be read", path, EIO);
  return parse_journal(path, text.view());
}

RunRecord run_from_facts(const std::vector<Fact>& facts) {
  RunRecord run;
  std::map<std::string, std::size_t> places, order;
  for (const Fact& fact : facts) {
    if (fact.type == "header" || fact.type == "run") {
      RunRecord frame = frame_from_json_text(fact.body);
      frame.jobs = std::move(run.jobs);
      run = std::move(frame);
    } else if (fact.type == "job") {
      JobRecord job = job_record_from_json_text(fact.body);
      const auto [place, fresh] = places.emplace(job.id, run.jobs.size());
      if (fresh)
        run.jobs.push_back(std::move(job));
      else
        run.jobs[place->second] = std::move(job);
    } else if (fact.type == "order") {
      order.clear();
      for (std::string& id : ids_from_json_text(fact.body)) order.emplace(std::move(id), order.size());
    }
  }
  const auto rank = [&](const JobRecord& job) { return order.contains(job.id) ? order.at(job.id) : order.size(); };
  std::stable_sort(run.jobs.begin(), run.jobs.end(),
                   [&](const JobRecord& a, const JobRecord& b) { return rank(a) < rank(b); });
  if (facts.empty() || facts.back().type != "run") run.provenance.complete = false;
  return run;
}

Journal Journal::create(const std::filesystem::path& path) {
  Journal journal(path, open_locked(path, O_CREAT | O_EXCL | O_APPEND));
  sync_folder_of(path);
  return journal;
}

Journal Journal::append_to(const std::filesystem::path& path) {
  Journal journal(path, open_locked(path, O_APPEND));
  journal.earlier_ = read_journal(path);
  journal.length_ = journal.earlier_.sound_bytes;
  if (const int code = truncate_file(journal.file_.number(), journal.length_); code != 0)
    throw write_error("the torn end of the journal can't be cut off", path, code);
  return journal;
}

void Journal::append(std::string_view type, std::string_view body) {
  if (broken_)
    throw Error(ErrorKind::environment, "the journal takes no more lines after a failed write").at({path_.string()});
  const std::string line = line_of(type, body) + "\n";
  int code = write_all(file_.number(), std::as_bytes(std::span(line)));
  // After a failed fsync the kernel may have dropped the pages: what later lines stand on is unknown.
  if (code == 0) {
    code = sync_file(file_.number());
    broken_ = code != 0;
  }
  if (code == 0) {
    length_ += line.size();
    return;
  }
  if (truncate_file(file_.number(), length_) != 0) broken_ = true;
  throw write_error("the journal can't be written", path_, code);
}

void refuse_if_written(const std::filesystem::path& journal) { open_locked(journal, 0); }

void keep_as_old(const std::filesystem::path& path) {
  if (!there(path)) return;
  std::filesystem::path old = path;
  old += ".old";
  if (const int code = rename_file(path, old); code != 0)
    throw write_error("the earlier file can't be moved to '" + old.filename().string() + "'", path, code);
}

void prepare_output(const std::filesystem::path& results_file, bool resume) {
  const std::filesystem::path folder =
      results_file.has_parent_path() ? results_file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder)) {
    throw Error(ErrorKind::environment, "the folder for the results is missing")
        .at({folder.string()})
        .hint("make it, or name another place with --out");
  }
  const std::filesystem::path journal = journal_path_of(results_file);
  if (journal == results_file) {
    throw Error(ErrorKind::usage, "the results file can't be called *.journal: its journal has that name")
        .at({results_file.string()});
  }
  if (std::filesystem::is_directory(results_file)) {
    throw Error(ErrorKind::environment, "the results file is a folder")
        .at({results_file.string()})
        .hint("name a file with --out");
  }
  if (resume) return;
  // Held while moving, so that a live writer is noticed and two starters can't move each other's files.
  FileDescriptor lock;
  if (there(journal)) lock = open_locked(journal, 0);
  keep_as_old(results_file);
  keep_as_old(journal);
  sync_folder_of(results_file);
}

}  // namespace edgelab::results
