#include "results/verify.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "results/hdf5/problems.hpp"
#include "results/schema/text.hpp"

namespace edgelab::results {
namespace {

class Checker {
 public:
  explicit Checker(std::vector<std::string>& problems) : problems_(problems) {}

  void check(const RunRecord& run) {
    std::set<std::string> ids;
    for (const JobRecord& job : run.jobs) {
      where_ = "/jobs/" + job.id;
      expect(!job.id.empty(), "the id is empty");
      expect(ids.insert(job.id).second, "a second job of this id");
      check_job(job);
      expect(!(run.provenance.complete && job.status == Status::interrupted),
             "interrupted, though the run says that it is complete");
    }
    where_ = "/links";
    const auto cells = static_cast<std::size_t>(run.links.ranks) * static_cast<std::size_t>(run.links.ranks);
    expect(run.links.latency_ns.empty() || run.links.latency_ns.size() == cells, "latency_ns is not ranks × ranks");
    expect(run.links.bandwidth_bytes_per_second.empty() || run.links.bandwidth_bytes_per_second.size() == cells,
           "bandwidth_bytes_per_second is not ranks × ranks");
  }

 private:
  void check_job(const JobRecord& job) {
    const Summary& summary = job.summary;
    expect(job.attempts >= 0, "attempts is negative");
    expect(std::all_of(job.latency_ns.begin(), job.latency_ns.end(), [](std::int64_t time) { return time >= 0; }),
           "latency holds a negative time");
    expect(job.labels.empty() || job.predictions.empty() || job.labels.size() == job.predictions.size(),
           "predictions and labels differ in length");
    const std::size_t classes = static_cast<std::size_t>(std::max<std::int64_t>(1, job.classes));
    expect(job.logits.empty() || job.predictions.empty() || job.logits.size() / classes == job.predictions.size(),
           "logits and predictions differ in length");
    expect_share(summary.top1, "top1");
    expect_share(summary.top5, "top5");
    expect(!(summary.top1 && summary.top5 && *summary.top5 < *summary.top1), "top5 is below top1");
    const bool ordered =
        !summary.latency_p50_ns || !summary.latency_p90_ns || !summary.latency_p99_ns ||
        (*summary.latency_p50_ns <= *summary.latency_p90_ns && *summary.latency_p90_ns <= *summary.latency_p99_ns);
    expect(ordered, "the latency percentiles don't ascend");
  }

  void expect(bool holds, const char* problem) {
    if (!holds) problems_.push_back(where_ + ": " + problem);
  }
  void expect_share(const std::optional<double>& share, const char* name) {
    if (share && !(*share >= 0 && *share <= 1))
      problems_.push_back(where_ + ": " + name + " is not a fraction from 0 to 1");
  }

  std::vector<std::string>& problems_;
  std::string where_;
};

// Runs in the child: problems go out as lines on `output`.
void check_and_report(const std::filesystem::path& path, int output) {
  std::vector<std::string> problems;
  try {
    Checker(problems).check(hdf5::read_with_problems(path, problems));
  } catch (const std::exception& error) {
    problems.emplace_back(error.what());
  }
  std::string lines;
  for (std::string& problem : problems) {
    std::replace(problem.begin(), problem.end(), '\n', ' ');
    lines += clean_utf8(problem) + "\n";
  }
  write_all(output, std::as_bytes(std::span(lines)));
}

std::string read_to_end(int input) {
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t size = ::read(input, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(piece, static_cast<std::size_t>(size));
  }
}

[[noreturn]] void fail(const char* doing) {
  throw Error(ErrorKind::environment, std::string(doing) + ": " + std::strerror(errno));
}

}  // namespace

std::vector<std::string> problems_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) {
    throw Error(ErrorKind::environment, "there is no such results file").at({path.string()});
  }
  int ends[2];
  if (::pipe(ends) != 0) fail("a pipe can't be made");
  FileDescriptor input(ends[0]);
  FileDescriptor output(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) fail("a child process can't be started");
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    check_and_report(path, ends[1]);
    ::_exit(0);  // without the parent's exit handlers
  }
  output = FileDescriptor();
  std::string text = read_to_end(input.number());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::vector<std::string> problems;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    problems.push_back(text.substr(begin, end - begin));
    begin = end == std::string::npos ? text.size() : end + 1;
  }
  if (WIFSIGNALED(status))
    problems.push_back("the HDF5 library crashes on this file (signal " + std::to_string(WTERMSIG(status)) + ")");
  else if (WEXITSTATUS(status) != 0)
    problems.push_back("reading this file ended with status " + std::to_string(WEXITSTATUS(status)));
  return problems;
}

}  // namespace edgelab::results
