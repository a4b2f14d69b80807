// Everything a run keeps on disk, cut off after every single call that changes the disk, in whatever state that may leave
// (support/power_cut.hpp): nothing that was acknowledged is lost, and no file under its own name is torn.

#include "support/power_cut.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/json/record_json.hpp"
#include "results/recorder.hpp"
#include "results/repair.hpp"
#include "results/sample_run.hpp"
#include "results/verify.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

using test::DiskState;
using test::RecordedDisk;
using test::TemporaryDirectory;

constexpr std::size_t kStatesACut = 12;
constexpr const char* kStart = "{\"job\":\"next\",\"attempt\":1,\"ranks\":[0],\"hosts\":[\"pi-0\"]}";

JobRecord job(const std::string& id) { return test::sample_job(id, 2); }

RunRecord header() {
  RunRecord run = test::sample_run();
  run.jobs.clear();
  return run;
}

std::set<std::string> ids_of(const std::vector<JobRecord>& jobs) {
  std::set<std::string> ids;
  for (const JobRecord& record : jobs) ids.insert(record.id);
  return ids;
}

// Work on a recorded disk, and what had been acknowledged when.
class Story {
 public:
  explicit Story(const DiskState& before) {
    test::put_disk_state(before, folder_.path());
    disk_.emplace(folder_.path());
  }

  std::filesystem::path file() const { return folder_ / "k.h5"; }
  void acknowledge(const std::string& id) { acknowledged_.emplace_back(disk_->model().changes(), id); }
  DiskState end() {
    model_.emplace(disk_->model());
    disk_.reset();
    DiskState real = test::disk_state_of(folder_.path());
    EXPECT_EQ(real, model_->state()) << "something was done to a file without the model's knowing";
    return real;
  }

  // `check` gets each state that a cut may leave and the ids acknowledged before that cut.
  void after_every_cut(
      const std::function<void(const std::filesystem::path& folder, const std::set<std::string>&)>& check) {
    end();
    const std::size_t states =
        test::after_every_cut(*model_, kStatesACut, [&](const std::filesystem::path& folder, std::size_t changes) {
          if (::testing::Test::HasFailure()) return;  // one is enough to look at
          SCOPED_TRACE("cut after change " + std::to_string(changes) + " of " + std::to_string(model_->changes()));
          check(folder, acknowledged_until(changes));
        });
    std::printf("%zu states of the disk after a cut at any of %zu changes\n", states, model_->changes());
  }

 private:
  std::set<std::string> acknowledged_until(std::size_t changes) const {
    std::set<std::string> ids;
    for (const auto& [when, id] : acknowledged_) {
      if (when <= changes) ids.insert(id);
    }
    return ids;
  }

  TemporaryDirectory folder_;
  std::optional<RecordedDisk> disk_;
  std::optional<test::DiskModel> model_;  // once the story has ended
  std::vector<std::pair<std::size_t, std::string>> acknowledged_;
};

void add(Recorder& recorder, Story& story, const std::string& id) {
  recorder.note_fact("start", kStart, Durability::later);
  recorder.note_fact("start", kStart, Durability::later);
  recorder.add(job(id));
  story.acknowledge(id);
}

std::vector<JobRecord> jobs_in_journal(const std::filesystem::path& journal) {
  if (!std::filesystem::exists(journal)) return {};
  return run_from_facts(read_journal(journal).facts).jobs;
}

void expect_true_records(const std::vector<JobRecord>& jobs) {
  for (const JobRecord& record : jobs) EXPECT_EQ(record, job(record.id));
}

void expect_absent_or_whole(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  expect_true_records(read_run(file).jobs);
}

void expect_acknowledged(const std::vector<JobRecord>& jobs, const std::set<std::string>& acknowledged) {
  expect_true_records(jobs);
  EXPECT_THAT(ids_of(jobs), ::testing::IsSupersetOf(acknowledged));
}

// What a run goes on from, and that it goes on.
void expect_resumable(const std::filesystem::path& file, const std::set<std::string>& acknowledged) {
  Recorder recorder(file, header(), true, {"a", "b", "c", "d"});
  expect_acknowledged(recorder.earlier(), acknowledged);
  for (const std::string& id : ids_of(recorder.earlier())) recorder.take_over(id);
  recorder.add(job("z"));
  recorder.finish(true);
  expect_acknowledged(read_run(file).jobs, acknowledged);
  EXPECT_TRUE(read_run(file).provenance.complete);
}

void expect_repairable(const std::filesystem::path& file, const std::set<std::string>& acknowledged) {
  try {
    repair_results(file);
  } catch (const Error&) {
    EXPECT_THAT(acknowledged, ::testing::IsEmpty());  // cut before the header
    return;
  }
  expect_acknowledged(read_run(file).jobs, acknowledged);
}

DiskState after_a_whole_run(const std::vector<std::string>& ids) {
  Story story({});
  Recorder recorder(story.file(), header(), false, ids);
  for (const std::string& id : ids) recorder.add(job(id));
  recorder.finish(true);
  return story.end();
}

TEST(PowerCut, ARunLosesNothingThatItAcknowledged) {
  Story story({});
  {
    Recorder recorder(story.file(), header(), false, {"a", "b", "c"});
    story.acknowledge("");
    add(recorder, story, "a");
    recorder.flush();
    add(recorder, story, "b");
    recorder.update_frame(header().provenance, header().hosts, {});
    add(recorder, story, "c");
    recorder.finish(true);
    story.acknowledge("finish");
  }
  story.after_every_cut([](const std::filesystem::path& folder, std::set<std::string> acknowledged) {
    const auto file = folder / "k.h5";
    const bool started = acknowledged.erase("") > 0, finished = acknowledged.erase("finish") > 0;
    expect_absent_or_whole(file);
    EXPECT_TRUE(!started || !read_journal(journal_path_of(file)).facts.empty());
    expect_acknowledged(jobs_in_journal(journal_path_of(file)), acknowledged);
    if (finished) {
      EXPECT_TRUE(read_run(file).provenance.complete);
      EXPECT_TRUE(run_from_facts(read_journal(journal_path_of(file)).facts).provenance.complete);
    }
    if (started) expect_resumable(file, acknowledged);
  });
}

TEST(PowerCut, JobsThatShareAWaitAreAcknowledgedBehindItAndTheResultsFileTellsOfNoOther) {
  Story story({});
  {
    Recorder recorder(story.file(), header(), false, {"a", "b", "c", "d"});
    const auto add_for_later = [&](const std::string& id) { recorder.add(job(id), Durability::later); };
    add_for_later("a");
    add_for_later("b");
    recorder.sync();
    story.acknowledge("a");
    story.acknowledge("b");
    add_for_later("c");
    recorder.flush();
    story.acknowledge("c");
    add_for_later("d");
    recorder.finish(true);
    story.acknowledge("d");
  }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    const auto file = folder / "k.h5";
    expect_absent_or_whole(file);
    const std::vector<JobRecord> jobs = jobs_in_journal(journal_path_of(file));
    expect_acknowledged(jobs, acknowledged);
    if (std::filesystem::exists(file)) {
      EXPECT_THAT(ids_of(jobs), ::testing::IsSupersetOf(ids_of(read_run(file).jobs)));
    }
    if (!acknowledged.empty()) expect_resumable(file, acknowledged);
  });
}

TEST(PowerCut, WhatIsRepairedHoldsAllThatWasAcknowledged) {
  Story story({});
  {
    Recorder recorder(story.file(), header(), false, {"a", "b"});
    add(recorder, story, "a");
    recorder.flush();
    add(recorder, story, "b");
  }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    expect_repairable(folder / "k.h5", acknowledged);
  });
}

TEST(PowerCut, ARunThatStartsAfreshKeepsTheEarlierOneAside) {
  DiskState before = after_a_whole_run({"a", "b"});
  const DiskState older = after_a_whole_run({"o"});
  before["k.h5.old"] = older.at("k.h5");
  before["k.journal.old"] = older.at("k.journal");
  Story story(before);
  {
    Recorder recorder(story.file(), header());
    add(recorder, story, "c");
    recorder.finish(true);
  }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    const auto file = folder / "k.h5";
    expect_absent_or_whole(file);
    expect_absent_or_whole(folder / "k.h5.old");
    const auto now = ids_of(jobs_in_journal(folder / "k.journal")),
               old = ids_of(jobs_in_journal(folder / "k.journal.old"));
    EXPECT_TRUE(now.count("a") + old.count("a") > 0 && now.count("b") + old.count("b") > 0);
    EXPECT_THAT(now, ::testing::IsSupersetOf(acknowledged));
    expect_resumable(file, acknowledged);
  });
}

// As a supervisor does when its leader is killed: it goes on behind a journal that says its session, else it begins again.
TEST(PowerCut, ARunThatIsCutOffInItsFirstMomentsAndBegunAgainKeepsTheEarlierOneAside) {
  Story story(after_a_whole_run({"a", "b"}));
  { Recorder recorder(story.file(), header(), false, {}, "night"); }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>&) {
    const auto journal = folder / "k.journal";
    bool ours = false;
    if (std::filesystem::exists(journal)) {
      const std::vector<Fact> facts = read_journal(journal).facts;
      ours = !facts.empty() && facts.front().body.find("\"session\":\"night\"") != std::string::npos;
    }
    {
      Recorder recorder(folder / "k.h5", header(), ours, {}, "night");
      recorder.add(job("c"));
    }
    EXPECT_THAT(ids_of(jobs_in_journal(folder / "k.journal.old")), ::testing::ElementsAre("a", "b"));
    EXPECT_THAT(ids_of(jobs_in_journal(journal)), ::testing::ElementsAre("c"));
  });
}

TEST(PowerCut, AResumedRunLosesNothingOfEither) {
  DiskState before = after_a_whole_run({"a", "b"});
  std::string& journal = *before.at("k.journal");
  journal.resize(journal.size() - 100);  // killed while it wrote its last line
  Story story(before);
  story.acknowledge("a");
  story.acknowledge("b");
  {
    Recorder recorder(story.file(), header(), true);
    add(recorder, story, "c");
    recorder.finish(true);
  }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    const auto file = folder / "k.h5";
    expect_absent_or_whole(file);
    expect_acknowledged(jobs_in_journal(journal_path_of(file)), acknowledged);
    expect_resumable(file, acknowledged);
  });
}

// SIGKILL leaves what was written, but nobody waited for the disk: who goes on must.
TEST(PowerCut, ARunThatGoesOnBehindAKilledOneBringsToDiskWhatItFinds) {
  Story story({});
  const auto journal = journal_path_of(story.file());
  {
    const FileDescriptor file = open_file(journal, O_WRONLY | O_CREAT | O_APPEND);
    for (const std::string& line : {journal_line("header", frame_json_text(header()), {}),
                                    journal_line("job", to_json_text(job("a")), {}), std::string("{\"sha256\":\"0")})
      ASSERT_EQ(write_all(file.number(), std::as_bytes(std::span(line))), 0);
  }
  {
    Recorder recorder(story.file(), header(), true);
    recorder.take_over("a");
    story.acknowledge("a");  // the user is told that it is done already
    add(recorder, story, "b");
  }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    if (acknowledged.empty()) return;
    expect_resumable(folder / "k.h5", acknowledged);
  });
}

TEST(PowerCut, ARepairLeavesTheOldFileOrTheNewOneAndTheJournalAlone) {
  const DiskState before = after_a_whole_run({"a", "b"});
  const DiskState spoilt = [&] {
    DiskState state = before;
    *state.at("k.h5") = "spoilt";
    return state;
  }();
  Story story(spoilt);
  repair_results(story.file());
  story.acknowledge("repaired");
  story.after_every_cut([&](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    DiskState state = test::disk_state_of(folder);
    EXPECT_EQ(state.at("k.journal"), before.at("k.journal"));
    const auto now = state.find("k.h5");
    EXPECT_TRUE(now == state.end() || now->second == spoilt.at("k.h5") || now->second == before.at("k.h5"));
    EXPECT_TRUE(state["k.h5"] == spoilt.at("k.h5") || state["k.h5.old"] == spoilt.at("k.h5"));
    if (!acknowledged.empty()) {
      EXPECT_EQ(problems_of(folder / "k.h5"), std::vector<std::string>());
    }
    expect_repairable(folder / "k.h5", {"a", "b"});
  });
}

// A second cut, while the first is being recovered from.
TEST(PowerCut, ACutDuringTheRecoveryFromACutLosesNothingEither) {
  Story first({});
  {
    Recorder recorder(first.file(), header());
    add(recorder, first, "a");
    recorder.note_fact("start", kStart, Durability::later);
    recorder.note_fact("start", kStart, Durability::later);
  }
  DiskState damaged = first.end();
  // The last line whole, the one before it lost: pages reach the disk in any order.
  std::string& journal = *damaged.at("k.journal");
  const std::size_t last = journal.rfind('\n', journal.size() - 2);
  for (std::size_t i = journal.rfind('\n', last - 1) + 1; i < last; ++i) journal[i] = '\0';
  Story story(damaged);
  story.acknowledge("a");
  {
    Recorder recorder(story.file(), header(), true);
    EXPECT_THAT(recorder.note(), ::testing::HasSubstr("damaged"));
    add(recorder, story, "b");
    recorder.finish(true);
  }
  story.after_every_cut([](const std::filesystem::path& folder, const std::set<std::string>& acknowledged) {
    expect_resumable(folder / "k.h5", acknowledged);
  });
}

}  // namespace
}  // namespace edgelab::results
