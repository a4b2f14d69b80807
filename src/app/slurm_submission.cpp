#include "app/slurm_submission.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "batch/slurm/batch_script.hpp"
#include "core/child_process.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

namespace fs = std::filesystem;
namespace slurm = batch::slurm;

struct Answer {
  int exit_code = 0;  // 128 + the signal's number if one ended it
  std::string output;
};

Error system_error(const char* what) { return Error(ErrorKind::environment, what).got(std::strerror(errno)); }

// A file without a name. sbatch reads it by its own /dev/stdin, however much of it a pipe would hold.
FileDescriptor nameless_file(std::string_view text) {
  FileDescriptor file(memfd_create("edgelab", MFD_CLOEXEC));
  if (!file.open()) throw system_error("there is no memory for a nameless file");
  if (const int code = write_all(file.number(), std::as_bytes(std::span(text)))) {
    throw file_error("cannot write a nameless file", "sbatch's script", code);
  }
  if (lseek(file.number(), 0, SEEK_SET) != 0) throw system_error("cannot go back in a nameless file");
  return file;
}

// Runs a program of PATH with `input` as its standard input and waits for it; its stderr is ours. No shell is in between.
// Empty if there is no such program.
std::optional<Answer> answer_of(const std::vector<std::string>& command, std::string_view input) {
  const FileDescriptor in = nameless_file(input);
  Pipe pipe = make_pipe();
  pid_t child = 0;
  const int code = start_program(command, {in.number(), pipe.writing.number(), STDERR_FILENO, {}, false}, child);
  if (code == ENOENT) return std::nullopt;
  if (code != 0) throw Error(ErrorKind::environment, command[0] + " can't be started").got(std::strerror(code));
  pipe.writing = FileDescriptor();
  Answer answer;
  answer.output = read_rest(pipe.reading.number());
  answer.exit_code = exit_code_of(child);
  return answer;
}

// --parsable prints "ID" or "ID;CLUSTER".
std::string job_id_of(const std::string& output) { return output.substr(0, output.find_first_not_of("0123456789")); }

std::string queue_job(const slurm::Submission& submission, const std::vector<std::string>& ids) {
  const std::optional<Answer> answer = answer_of(slurm::sbatch_command(submission, ids), slurm::batch_script());
  if (!answer) {
    throw Error(ErrorKind::environment, "there is no sbatch in PATH")
        .hint(
            "--slurm is for where jobs of Slurm are handed in, such as a cluster's login node; without it the batch "
            "runs here");
  }
  const std::string id = job_id_of(answer->output);
  if (answer->exit_code != 0 || id.empty()) {
    throw Error(ErrorKind::environment, "Slurm did not take \"" + submission.title + "\"")
        .got(answer->exit_code != 0 ? fmt::format("exit code {} of sbatch", answer->exit_code)
                                    : "no job id from sbatch")
        .hint("what sbatch said is above; options for it go into --sbatch-option");
  }
  return id;
}

void take_back(const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::vector<std::string> command = {"scancel"};
  command.insert(command.end(), ids.begin(), ids.end());
  const std::optional<Answer> answer = answer_of(command, "");
  const bool done = answer && answer->exit_code == 0;
  fmt::print(stderr, "{} again: Slurm jobs {}\n",
             done ? "taken out of the queue" : "could not be taken out of the queue", fmt::join(ids, " "));
}

void refuse_wrong_options(const slurm::Request& request) {
  for (const std::string& option : request.sbatch_options) {
    if (option.size() > 1 && option[0] == '-') continue;
    throw Error(ErrorKind::usage, "--sbatch-option takes one option of sbatch")
        .got("\"" + option + "\"")
        .expected("one word that begins with -")
        .hint("as in --sbatch-option=--partition=short");
  }
  if (request.arrays && request.ranks) {
    throw Error(ErrorKind::usage, "--ranks and --array don't go together")
        .hint("with --array each job gets the ranks that it asks for");
  }
}

void refuse_what_no_task_does(const batch::Batch& batch) {
  std::vector<Error> problems;
  for (const tasks::JobSpec& job : batch.jobs) {
    for (Error& problem : tasks::unsupported(job)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
}

// The job starts in the folder where sbatch was called, unless an option of the user's says another; so nothing hangs on it.
void make_paths_absolute(slurm::Request& request, const batch::Batch& batch) {
  for (fs::path& file : request.files) file = fs::absolute(file);
  if (request.out.empty()) request.out = fs::path("results") / (batch.name + ".h5");
  request.out = fs::absolute(request.out).lexically_normal();
}

void report(const slurm::Submission& submission, const std::string& id) {
  fmt::print("Slurm job {}: {}\n  results  {}\n  output   {}\n", id, submission.title, submission.results.string(),
             submission.output.string());
}

}  // namespace

void add_slurm_options(CLI::App& command, SlurmOptions& options) {
  CLI::Option* slurm = command.add_flag("--slurm", options.wanted, "Hand the batch to Slurm, by sbatch");
  command.add_flag("--array", options.arrays, "With --slurm: each sweep as a job array, and each other job by itself")
      ->needs(slurm);
  command
      .add_option("--sbatch-option", options.sbatch_options,
                  "With --slurm: an option of sbatch, such as --sbatch-option=--time=30")
      ->allow_extra_args(false)
      ->needs(slurm);
}

void submit_to_slurm(slurm::Request request) {
  refuse_wrong_options(request);
  const batch::Batch batch = batch::load_batch(request.files, request.load);
  refuse_what_no_task_does(batch);
  make_paths_absolute(request, batch);
  const std::vector<slurm::Submission> submissions = slurm::plan(batch, request);
  make_folders(request.out.parent_path());  // Slurm makes none for what a job prints, and the job fails
  setenv("EDGELAB", fs::read_symlink("/proc/self/exe").c_str(), 1);  // sbatch hands the environment on to the job
  std::vector<std::string> ids;
  try {
    for (const slurm::Submission& submission : submissions) {
      ids.push_back(queue_job(submission, ids));
      report(submission, ids.back());
    }
  } catch (...) {
    take_back(ids);
    throw;
  }
  fmt::print("squeue --jobs={0} shows them, scancel {1} ends them.\n", fmt::join(ids, ","), fmt::join(ids, " "));
}

}  // namespace edgelab::app
