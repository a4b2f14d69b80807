#include "results/hdf5/reading.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "results/json/record_json.hpp"
#include "results/schema/text.hpp"

// One line a thing: a word, a space, and a text or the JSON of a record. The last line says that it is the last.
namespace edgelab::results::hdf5 {
namespace {

constexpr std::string_view kFailure = "failure", kProblem = "problem", kFrame = "frame", kJob = "job", kEnd = "end";

void add_line(std::string& text, std::string_view word, std::string_view rest) {
  text.append(word).append(" ").append(rest).append("\n");
}

std::string on_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return clean_utf8(text);
}

}  // namespace

std::string to_text(const Reading& reading) {
  std::string text;
  if (!reading.failure.empty()) add_line(text, kFailure, on_one_line(reading.failure));
  for (const std::string& problem : reading.problems) add_line(text, kProblem, on_one_line(problem));
  add_line(text, kFrame, frame_json_text(reading.run));
  for (const JobRecord& job : reading.run.jobs) add_line(text, kJob, to_json_text(job));
  add_line(text, kEnd, "");
  return text;
}

Reading reading_from_text(std::string_view text) {
  Reading reading;
  std::vector<JobRecord> jobs;
  bool ended = false;
  while (!text.empty() && !ended) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::string_view word = line.substr(0, line.find(' '));
    const std::string_view rest = line.substr(std::min(line.size(), word.size() + 1));
    if (word == kFailure) reading.failure = rest;
    if (word == kProblem) reading.problems.emplace_back(rest);
    if (word == kFrame) reading.run = frame_from_json_text(rest);
    if (word == kJob) jobs.push_back(job_record_from_json_text(rest));
    ended = word == kEnd;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  if (!ended) throw Error(ErrorKind::data, "the process that read the file did not tell all of it");
  reading.run.jobs = std::move(jobs);
  return reading;
}

}  // namespace edgelab::results::hdf5
