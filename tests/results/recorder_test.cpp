#include "results/recorder.hpp"
#include "core/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "core/error.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/json/record_json.hpp"
#include "results/repair.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"
#include "support/tight_disk.hpp"

namespace edgelab::results {
namespace {

using test::sample_job;
using test::TemporaryDirectory;

constexpr std::int64_t kSecond = 1'000'000'000;

RunRecord header() {
  RunRecord run = test::sample_run();
  run.jobs.clear();
  return run;
}

using test::TightDisk;

TEST(Recorder, KeepsJobsInTheOrderOfTheJobFile) {
  const TemporaryDirectory folder;
  Recorder recorder(folder / "k.h5", header(), false, {"a", "b", "c"});
  for (const char* id : {"c", "a", "b"}) recorder.add(sample_job(id, 2));
  recorder.finish(true);
  const RunRecord run = read_run(folder / "k.h5");
  ASSERT_EQ(run.jobs.size(), 3u);
  EXPECT_EQ(run.jobs[0], sample_job("a", 2));
  EXPECT_EQ(run.jobs[2].id, "c");
  EXPECT_TRUE(run.provenance.complete);
  EXPECT_GT(run.provenance.end_wall_ns, 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "k.h5.part"));
  EXPECT_TRUE(std::filesystem::exists(folder / "k.journal"));
}

TEST(Recorder, WritesTheFileOnAGrowingTimerAndNeverPerJob) {
  const TemporaryDirectory folder;
  const auto file = folder / "k.h5";
  Recorder recorder(file, header());
  const std::int64_t start = now_ns();
  recorder.add(sample_job("a", 2));
  recorder.flush_if_due(start);
  EXPECT_FALSE(std::filesystem::exists(file));
  recorder.flush_if_due(start + 11 * kSecond);
  ASSERT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(read_run(file).provenance.complete);
  std::filesystem::remove(file);
  recorder.flush_if_due(start + 1000 * kSecond);  // nothing new
  EXPECT_FALSE(std::filesystem::exists(file));
  recorder.add(sample_job("b", 2));
  recorder.flush_if_due(start + 30 * kSecond);  // the second interval is 20 s
  EXPECT_FALSE(std::filesystem::exists(file));
  recorder.flush_if_due(start + 60 * kSecond);  // and a little, should this machine be slow
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(Recorder, JobsThatEndWithinASecondShareOneWaitForTheDisk) {
  const TemporaryDirectory folder;
  Recorder recorder(folder / "k.h5", header());
  const std::int64_t start = now_ns();
  EXPECT_TRUE(recorder.sync_if_due(start));  // there is nothing to wait for
  recorder.add(sample_job("a", 2), Durability::later);
  EXPECT_TRUE(recorder.sync_if_due(start));
  recorder.add(sample_job("b", 2), Durability::later);
  EXPECT_FALSE(recorder.sync_if_due(start + kSecond / 2));
  recorder.add(sample_job("c", 2), Durability::later);
  EXPECT_FALSE(recorder.sync_if_due(start + kSecond - 1));
  EXPECT_TRUE(recorder.sync_if_due(start + kSecond));
  recorder.add(sample_job("d", 2), Durability::later);
  EXPECT_FALSE(recorder.sync_if_due(start + kSecond));
  recorder.add(sample_job("e", 2));  // waits, and so brings everything before it there
  EXPECT_TRUE(recorder.sync_if_due(start + kSecond));
  recorder.add(sample_job("f", 2), Durability::later);
  recorder.finish(true);
  EXPECT_EQ(read_run(folder / "k.h5").jobs.size(), 6u);
}

TEST(Recorder, ARunThatWasKilledIsRepairedFromItsJournal) {
  const TemporaryDirectory folder;
  {
    Recorder recorder(folder / "k.h5", header(), false, {"a", "b"});
    recorder.add(sample_job("b", 2));
    recorder.add(sample_job("a", 2));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "k.h5"));
  const Repair repair = repair_results(folder / "k.journal");
  EXPECT_EQ(repair.results_file, folder / "k.h5");
  EXPECT_EQ(repair.jobs, 2u);
  EXPECT_FALSE(repair.complete);
  EXPECT_EQ(read_run(folder / "k.h5").jobs[0], sample_job("a", 2));
}

TEST(Recorder, RepairRefusesALiveRunAndAMissingJournal) {
  const TemporaryDirectory folder;
  EXPECT_THROW(repair_results(folder / "k.h5"), Error);
  Recorder recorder(folder / "k.h5", header());
  EXPECT_THROW(repair_results(folder / "k.h5"), Error);
}

TEST(Recorder, RepairMakesTheSameFileAsTheRunItself) {
  const TemporaryDirectory folder;
  {
    Recorder recorder(folder / "k.h5", header());
    recorder.add(sample_job("a", 2));
    recorder.finish(true);
  }
  const RunRecord before = read_run(folder / "k.h5");
  std::ofstream(folder / "k.h5") << "spoilt";
  EXPECT_TRUE(repair_results(folder / "k.h5").complete);
  EXPECT_EQ(read_run(folder / "k.h5"), before);
  EXPECT_TRUE(std::filesystem::exists(folder / "k.h5.old"));
}

TEST(Recorder, ResumesWithWhatWasFinished) {
  const TemporaryDirectory folder;
  JobRecord failed = sample_job("b", 2);
  failed.status = Status::failed;
  {
    Recorder recorder(folder / "k.h5", header(), false, {"a", "b"});
    recorder.add(sample_job("a", 2));
    recorder.add(failed);
  }
  Recorder recorder(folder / "k.h5", header(), true, {"a", "b"});
  ASSERT_EQ(recorder.earlier().size(), 2u);
  EXPECT_EQ(recorder.earlier()[1], failed);
  recorder.add(sample_job("b", 2));
  EXPECT_EQ(recorder.take_over("a"), sample_job("a", 2));
  EXPECT_THROW(recorder.take_over("none"), std::out_of_range);
  recorder.finish(true);
  const RunRecord run = read_run(folder / "k.h5");
  ASSERT_EQ(run.jobs.size(), 2u);
  EXPECT_EQ(run.jobs[0].id, "a");
  EXPECT_EQ(run.jobs[1].status, Status::done);
}

TEST(Recorder, ARecordThatAResumedRunDidNotTakeOverIsNoResultOfItButStaysForLaterOnes) {
  const TemporaryDirectory folder;
  {
    Recorder recorder(folder / "k.h5", header(), false, {"a", "b"});
    recorder.add(sample_job("a", 2));
    recorder.add(sample_job("b", 2));
  }
  {
    Recorder recorder(folder / "k.h5", header(), true, {"a", "b"});  // and b is another job by now
    recorder.take_over("a");
    recorder.settle();
    recorder.add(sample_job("c", 2));
  }
  EXPECT_EQ(repair_results(folder / "k.h5").jobs, 2u);
  const RunRecord repaired = read_run(folder / "k.h5");
  ASSERT_EQ(repaired.jobs.size(), 2u);
  EXPECT_EQ(repaired.jobs[0].id, "a");
  EXPECT_EQ(repaired.jobs[1].id, "c");
  Recorder recorder(folder / "k.h5", header(), true, {"a", "b"});
  EXPECT_EQ(recorder.earlier().size(), 3u) << "b may be what it was again";
}

TEST(Recorder, ARunThatEndedBeforeItsFirstWordLeavesTheRunBeforeItInItsPlaceAside) {
  const TemporaryDirectory folder;
  const auto journal = folder / "k.journal", old = folder / "k.journal.old", artifacts = folder / "k.artifacts";
  { Recorder(folder / "k.h5", header()).add(sample_job("a", 2)); }
  std::filesystem::create_directories(artifacts / "a");
  for (const std::string& begun : {std::string(), journal_line("header", frame_json_text(header()), {}).substr(0, 200)}) {
    prepare_output(folder / "k.h5", false, {artifacts});
    std::ofstream(journal) << begun;
    Recorder(folder / "k.h5", header(), false, {}, "night", {artifacts});
    ASSERT_EQ(jobs_from_facts(read_journal(old).facts).size(), 1u) << "begun: " << begun;
    EXPECT_TRUE(std::filesystem::exists(folder / "k.artifacts.old" / "a"));
    EXPECT_THAT(read_journal(journal).facts.at(0).body, testing::HasSubstr("\"session\":\"night\""));
    std::filesystem::remove(journal);
    std::filesystem::rename(old, journal);
  }
}

TEST(Recorder, LogitsForLaterComparisonSurviveAResumeThoughTheFileDoesNotKeepThem) {
  const TemporaryDirectory folder;
  JobRecord job = sample_job("serial", 2);
  job.keep_logits = false;
  { Recorder(folder / "k.h5", header()).add(job); }
  Recorder recorder(folder / "k.h5", header(), true);
  EXPECT_EQ(recorder.take_over("serial").logits, job.logits);
}

TEST(Recorder, WithNothingToResumeItStartsAfresh) {
  const TemporaryDirectory folder;
  Recorder recorder(folder / "k.h5", header(), true);
  EXPECT_TRUE(recorder.earlier().empty());
  recorder.add(sample_job("a", 2));
  recorder.finish(true);
  EXPECT_EQ(read_run(folder / "k.h5").jobs.size(), 1u);
}

TEST(Recorder, AFullDiskLeavesTheEarlierFileAndNoPartOfANewOne) {
  const TemporaryDirectory folder;
  const auto file = folder / "k.h5";
  Recorder recorder(file, header());
  recorder.add(sample_job("a", 2));
  recorder.flush();
  const RunRecord before = read_run(file);
  for (int i = 0; i < 20; ++i) recorder.add(sample_job("more" + std::to_string(i), 2));
  {
    const TightDisk disk(std::filesystem::file_size(file) + 1000);
    try {
      recorder.flush();
      FAIL() << "a full disk went unnoticed";
    } catch (const Error& error) {
      EXPECT_EQ(exit_code_of(error.kind()), 3);
      EXPECT_NE(std::string(error.what()).find("make room"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(read_run(file), before);
  EXPECT_FALSE(std::filesystem::exists(folder / "k.h5.part"));
  recorder.finish(true);
  EXPECT_EQ(read_run(file).jobs.size(), 21u);
}

TEST(Recorder, AJobThatDidNotReachTheDiskWasNotAdded) {
  const TemporaryDirectory folder;
  Recorder recorder(folder / "k.h5", header());
  recorder.add(sample_job("a", 2));
  {
    const TightDisk disk(std::filesystem::file_size(folder / "k.journal") + 10);
    EXPECT_THROW(recorder.add(sample_job("b", 2)), Error);
  }
  EXPECT_EQ(recorder.find("b"), nullptr);
  recorder.add(sample_job("b", 2));
  EXPECT_NE(recorder.find("b"), nullptr);
}

TEST(Recorder, TwoLiveWritersToOneFileAreRefused) {
  const TemporaryDirectory folder;
  Recorder recorder(folder / "k.h5", header());
  EXPECT_THROW(Recorder(folder / "k.h5", header()), Error);
  EXPECT_THROW(Recorder(folder / "k.h5", header(), true), Error);
}

}  // namespace
}  // namespace edgelab::results
