// edgelab whose jobs do what their ids begin with, however it is asked to run them: for tests of what the batch system does
// with jobs that crash, hang or eat memory. All its other commands are the real ones.
//
//   segfault…, abort…   die so, on the job's last rank
//   exit…               end the process with code 7
//   hang…               for ever, deaf to the cancel token
//   wait…               until cancelled; tells of a quarter done and of a loss that falls
//   hog…                takes memory until the kernel kills it, or dies so at 1 GiB
//   throw…              an Error
//   halt…               the job itself, which stands still at its half until cancelled; begun from beyond it, it goes on
//   measured…           the job itself, on the host that lies below HOST_ROOT, whose meter tells 7 W from then on
//   anything else       sleeps `seed` milliseconds and is done

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/commands.hpp"
#include "core/error.hpp"
#include "tasks/task.hpp"

namespace {

using namespace edgelab;
using namespace std::chrono_literals;

// Raised, since a sanitizer would report a real one.
void die_of_a_wrong_address() {
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
}

// More than the cgroup of submit_test.cpp allows. The address sanitizer triples what the processes beside the hog take.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMost = std::size_t{3} << 30;
#else
constexpr std::size_t kMost = std::size_t{1} << 30;
#endif

void hog() {
  constexpr std::size_t kPiece = 16 << 20;
  std::vector<std::unique_ptr<char[]>> held;
  for (std::size_t taken = 0; taken < kMost; taken += kPiece) {
    held.push_back(std::make_unique_for_overwrite<char[]>(kPiece));
    std::memset(held.back().get(), 1, kPiece);
  }
  raise(SIGKILL);  // what the kernel does when memory runs out, where nothing limits this process
}

void misbehave(const std::string& id) {
  if (id.starts_with("segfault")) die_of_a_wrong_address();
  if (id.starts_with("abort")) std::abort();
  if (id.starts_with("exit")) std::_Exit(7);
  if (id.starts_with("hog")) hog();
  if (id.starts_with("throw")) throw Error(ErrorKind::data, "broken by design");
  while (id.starts_with("hang")) std::this_thread::sleep_for(100ms);
}

std::filesystem::path host_root() {
  const char* folder = std::getenv("HOST_ROOT");
  return folder == nullptr ? "/" : folder;
}

results::JobRecord run_on_made_up_host(const tasks::JobSpec& spec, tasks::TaskContext& context) {
  context.host_root = host_root();
  std::ofstream(context.host_root / "sys/class/hwmon/hwmon0/power1_input") << "7000000\n";
  return tasks::run_task(spec, context);
}

results::JobRecord run_to_its_half(const tasks::JobSpec& spec, tasks::TaskContext& context) {
  context.progress = [&context, tell = context.progress, last = 1.0](const tasks::ProgressReport& report) mutable {
    tell(report);
    while (last < 0.5 && report.fraction >= 0.5 && !context.cancelled()) {
      std::this_thread::sleep_for(1ms);
      tell(report);  // of reports that follow one another too fast some are not passed on
    }
    last = report.fraction;
  };
  return tasks::run_task(spec, context);
}

results::JobRecord run_faulty(const tasks::JobSpec& spec, tasks::TaskContext& context) {
  const parallel::Communicator& job = context.communicator;
  if (spec.id.starts_with("halt")) return run_to_its_half(spec, context);
  if (spec.id.starts_with("measured")) return run_on_made_up_host(spec, context);
  if (job.rank() == job.size() - 1) misbehave(spec.id);
  for (double step = 1; spec.id.starts_with("wait"); ++step) {
    if (context.cancelled()) throw Cancelled();
    context.progress({0.25, "training for ever", 1 / step, 812, 200'000'000'000});
    std::this_thread::sleep_for(1ms);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(spec.seed));
  job.barrier();
  results::JobRecord record;
  record.summary.samples = 1;
  for (int rank = 0; rank < job.size(); ++rank) {
    record.ranks.emplace_back();
    record.ranks.back().rank = rank;
  }
  return record;
}

}  // namespace

int main(int argc, char** argv) { return app::run_commands(argc, argv, run_faulty, host_root()); }
