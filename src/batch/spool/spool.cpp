#include "batch/spool/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "core/cache_folder.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/json_numbers.hpp"

namespace edgelab::batch::spool {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace std::chrono_literals;

EDGELAB_JSON_MEMBERS(RunningBatch, name, id, results_file, host, pid, started_wall_ns)

namespace {

constexpr std::int64_t kLookEveryNs = 100'000'000;
constexpr auto kClientLooksEvery = 20ms;
constexpr int kFarewellLooks = 25;
constexpr const char* kMaking = ".new-";  // a folder in the making; batches' names don't begin with a dot

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string text_of(const fs::path& file) {
  const std::vector<std::uint8_t> bytes = read_own_file(file, kMostBytes);
  return {bytes.begin(), bytes.end()};
}

// A batch's name as part of a folder's.
std::string folder_name(std::string name) {
  for (char& c : name) {
    if (c == '/' || static_cast<unsigned char>(c) < ' ') c = '_';
  }
  return name.starts_with('.') ? "_" + name : name;
}

// Holds the lock, or is not open if the leader holds it.
FileDescriptor try_lock(const fs::path& folder) {
  FileDescriptor file = open_file(folder / "lock", O_RDWR | O_NOFOLLOW);
  if (file.open() && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) return file;
  return {};
}

// Nothing for a folder whose leader is dead, which is removed, or that can't be read.
std::optional<RunningBatch> running_in(const fs::path& folder) {
  try {
    if (const FileDescriptor lock = try_lock(folder); lock.open()) {
      remove_whole(folder);
      return std::nullopt;
    }
    return json::parse(text_of(folder / "batch.json")).get<RunningBatch>();
  } catch (const std::exception&) {  // it has just gone, or is none of ours
    return std::nullopt;
  }
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) entries.push_back(at->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string shown(const std::vector<RunningBatch>& batches) {
  std::string text;
  for (const RunningBatch& batch : batches) text += (text.empty() ? "" : ", ") + batch.id;
  return text;
}

std::string fresh_id() {
  static int count = 0;
  return fmt::format("{:020}-{}-{}", wall_clock_ns(), ::getpid(), count++);  // in order of asking
}

}  // namespace

fs::path root() {
  fs::path folder = environment("EDGELAB_SPOOL");
  if (folder.empty()) folder = cache_folder() / "spool";
  if (folder.has_parent_path()) make_folders(folder.parent_path());
  make_own_folder(folder);
  return folder;
}

Inbox::Inbox(RunningBatch batch) : batch_(std::move(batch)) {
  const fs::path all = root();
  batch_.id = fmt::format("{}-{}", folder_name(batch_.name), batch_.pid);
  const fs::path making = all / (kMaking + std::to_string(batch_.pid));
  folder_ = all / batch_.id;
  remove_whole(making);
  make_own_folder(making);
  make_own_folder(making / "in");
  make_own_folder(making / "out");
  lock_ = open_file(making / "lock", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!lock_.open() || ::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0) throw write_error("the file can't be locked", making / "lock", errno);
  replace_file(making / "batch.json", json(batch_).dump());
  remove_whole(folder_);  // of a dead leader that had the same process id
  rename_and_sync(making, folder_);
}

Inbox::~Inbox() {
  // An answer just given, to a command that ended the batch, is fetched before it goes; nobody is waited for much longer.
  for (int i = 0; i < kFarewellLooks && !entries_of(folder_ / "out").empty(); ++i) std::this_thread::sleep_for(kClientLooksEvery);
  try {
    remove_whole(folder_);
  } catch (const Error&) {  // whoever looks next removes it
  }
}

std::optional<Inbox::Letter> Inbox::next() {
  const std::int64_t now = now_ns();
  if (now - looked_ns_ < kLookEveryNs) return std::nullopt;
  for (const fs::path& file : entries_of(folder_ / "in")) {
    if (file.extension() != ".json") continue;
    if (std::optional<Letter> letter = open(file)) return letter;
  }
  looked_ns_ = now;
  return std::nullopt;
}

std::optional<Inbox::Letter> Inbox::open(const fs::path& file) {
  const std::string id = file.stem().string();
  try {
    Letter letter{id, command_from(text_of(file))};
    remove_whole(file);
    return letter;
  } catch (const Error& error) {
    remove_whole(file);
    answer(id, {exit_code_of(error.kind()), error.what(), {}});
    return std::nullopt;
  }
}

void Inbox::answer(const std::string& id, const Answer& answer) { replace_file(folder_ / "out" / (id + ".json"), to_text(answer)); }

std::vector<RunningBatch> running_batches() {
  std::vector<RunningBatch> batches;
  for (const fs::path& folder : entries_of(root())) {
    if (folder.filename().string().starts_with(kMaking)) continue;
    if (std::optional<RunningBatch> batch = running_in(folder)) batches.push_back(std::move(*batch));
  }
  std::stable_sort(batches.begin(), batches.end(), [](const auto& a, const auto& b) { return a.started_wall_ns < b.started_wall_ns; });
  return batches;
}

RunningBatch find_batch(const std::string& name) {
  const std::vector<RunningBatch> all = running_batches();
  if (all.empty()) throw Error(ErrorKind::environment, "no batch of yours is running").at({root().string()});
  std::vector<RunningBatch> fitting;
  for (const RunningBatch& batch : all) {
    if (name.empty() || batch.name == name || batch.id == name) fitting.push_back(batch);
  }
  if (fitting.size() == 1) return fitting.front();
  throw Error(ErrorKind::usage, fitting.empty() ? fmt::format("no batch \"{}\" is running", name) : "several batches are running")
      .expected(fmt::format("one of: {}", shown(fitting.empty() ? all : fitting)))
      .hint("say which with --batch");
}

Answer ask(const RunningBatch& batch, const Command& command, std::chrono::seconds patience) {
  const fs::path folder = root() / batch.id;
  const std::string id = fresh_id();
  const fs::path out = folder / "out" / (id + ".json");
  replace_file(folder / "in" / (id + ".json"), to_text(command));
  const std::int64_t until = now_ns() + std::chrono::nanoseconds(patience).count();
  while (now_ns() < until) {
    std::error_code error;
    if (fs::exists(out, error)) {
      Answer answer = answer_from(text_of(out));
      remove_whole(out);
      return answer;
    }
    if (!fs::exists(folder, error)) throw Error(ErrorKind::environment, fmt::format("the batch {} ended before it answered", batch.id));
    if (const FileDescriptor lock = try_lock(folder); lock.open()) {
      throw Error(ErrorKind::environment, fmt::format("the batch {} died before it answered", batch.id));
    }
    std::this_thread::sleep_for(kClientLooksEvery);
  }
  throw Error(ErrorKind::environment, fmt::format("the batch {} does not answer", batch.id))
      .hint(fmt::format("it runs on {} as process {}", batch.host, batch.pid));
}

}  // namespace edgelab::batch::spool
