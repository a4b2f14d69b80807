#include "results/hdf5/run_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>

#include "core/error.hpp"
#include "core/random.hpp"
#include "results/sample_run.hpp"
#include "results/verify.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

std::filesystem::path written(const TemporaryDirectory& folder, const RunRecord& run) {
  write_run(folder / "k.h5", run);
  return folder / "k.h5";
}

void put(const std::filesystem::path& path, const std::vector<std::byte>& bytes, std::size_t length) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(length));
}

// Changes the file through HDF5 itself.
void change(const std::filesystem::path& path, const std::function<void(hid_t)>& action) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  action(file);
  H5Fclose(file);
}

void put_number(hid_t group, const char* name, std::int64_t value) {
  H5Adelete(group, name);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(group, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_INT64, &value);
  H5Aclose(attribute);
  H5Sclose(space);
}

std::string message_of_reading(const std::filesystem::path& path) {
  try {
    read_run(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "no error";
}

TEST(RunFile, ARunComesBackEqual) {
  const TemporaryDirectory folder;
  const RunRecord run = test::sample_run();
  EXPECT_EQ(read_run(written(folder, run)), run);
  EXPECT_THAT(problems_of(folder / "k.h5"), testing::IsEmpty());
}

TEST(RunFile, AnEmptyRunComesBackEqualAndIsSound) {
  const TemporaryDirectory folder;
  EXPECT_EQ(read_run(written(folder, RunRecord{})), RunRecord{});
  EXPECT_THAT(problems_of(folder / "k.h5"), testing::IsEmpty());
}

TEST(RunFile, JobsKeepTheirOrderAndAwkwardIds) {
  const TemporaryDirectory folder;
  RunRecord run;
  for (const std::string& id :
       {std::string("z"), std::string("a/b"), std::string("."), std::string("größe ✓"), std::string("a%2Fb"),
        std::string("tab\there"), std::string("m"), std::string(3000, 'x')})
    run.jobs.push_back(test::sample_job(id, 2));
  EXPECT_EQ(read_run(written(folder, run)), run);
}

TEST(RunFile, LogitsStayOutUnlessTheJobKeepsThem) {
  const TemporaryDirectory folder;
  RunRecord run;
  run.jobs.push_back(test::sample_job("a"));
  run.jobs[0].keep_logits = false;
  const RunRecord back = read_run(written(folder, run));
  EXPECT_TRUE(back.jobs[0].logits.empty());
  EXPECT_EQ(back.jobs[0].classes, 10);
  EXPECT_EQ(back.jobs[0].predictions, run.jobs[0].predictions);
  EXPECT_THAT(problems_of(folder / "k.h5"), testing::IsEmpty());
}

TEST(RunFile, TextsOfAnyLengthAndKindSurvive) {
  const TemporaryDirectory folder;
  RunRecord run;
  run.jobs.push_back(test::sample_job("a", 1));
  run.jobs[0].reason = std::string(200'000, 'r') + "größe";  // more than an object header holds
  run.jobs[0].config = std::string(300'000, 'c');
  run.jobs[0].layers[3].refused = std::string(5000, 'w');
  EXPECT_EQ(read_run(written(folder, run)), run);
  run.jobs[0].reason = "bad bytes \xFF here";
  EXPECT_EQ(read_run(written(folder, run)).jobs[0].reason, "bad bytes \uFFFD here");
  EXPECT_THAT(problems_of(folder / "k.h5"), testing::IsEmpty());
}

TEST(RunFile, TheSameRunGivesTheSameBytes) {
  EXPECT_EQ(hdf5_image_of(test::sample_run()), hdf5_image_of(test::sample_run()));
}

TEST(RunFile, AMissingFileIsTheEnvironmentsFault) {
  const TemporaryDirectory folder;
  for (const auto& path : {folder / "none.h5", folder.path()}) {
    try {
      read_run(path);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
    }
  }
}

TEST(RunFile, AFileCutShortAnywhereIsAnErrorAndNotACrash) {
  const TemporaryDirectory folder;
  RunRecord run = test::sample_run();
  const std::vector<std::byte> image = hdf5_image_of(run);
  for (std::size_t length = 0; length < image.size(); length += 1 + image.size() / 150) {
    put(folder / "cut.h5", image, length);
    EXPECT_NE(message_of_reading(folder / "cut.h5"), "no error") << length;
  }
  put(folder / "cut.h5", image, 1000);
  EXPECT_FALSE(problems_of(folder / "cut.h5").empty());
}

TEST(RunFile, VerifyFindsAnyDamageOrTheValuesAreUnharmed) {
  const TemporaryDirectory folder;
  RunRecord run;
  run.jobs.push_back(test::sample_job("a", 8));
  const std::vector<std::byte> image = hdf5_image_of(run);
  CounterRandom random(11);
  int found = 0;
  for (int trial = 0; trial < 150; ++trial) {
    std::vector<std::byte> damaged = image;
    const auto place = static_cast<std::size_t>(random.below(damaged.size()));
    damaged[place] ^= static_cast<std::byte>(1u << random.below(8));
    put(folder / "damaged.h5", damaged, damaged.size());
    if (!problems_of(folder / "damaged.h5").empty())
      ++found;
    else
      EXPECT_EQ(read_run(folder / "damaged.h5"), run) << "byte " << place;  // slack between objects, a description, …
  }
  EXPECT_GT(found, 30);
}

TEST(RunFile, SaysWhatIsWrongWithAForeignFile) {
  const TemporaryDirectory folder;
  const auto path = folder / "foreign.h5";
  std::ofstream(path) << "this is no HDF5 file at all, only text that is long enough to be looked at";
  EXPECT_THAT(message_of_reading(path), HasSubstr("no sound results file"));
  H5Fclose(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_THAT(message_of_reading(path), HasSubstr("not made by edgelab"));
  EXPECT_THAT(problems_of(path), testing::ElementsAre(HasSubstr("not made by edgelab")));
}

TEST(RunFile, VerifyNamesEveryFault) {
  const TemporaryDirectory folder;
  const auto path = written(folder, test::sample_run());
  change(path, [](hid_t file) {
    const hid_t job = H5Gopen2(file, "jobs/serial", H5P_DEFAULT);
    H5Adelete(job, "status");
    put_number(job, "task", 3);
    H5Ldelete(job, "labels", H5P_DEFAULT);
    H5Lcreate_soft("/jobs/pruned/config", job, "labels", H5P_DEFAULT, H5P_DEFAULT);
    H5Ldelete(job, "layers", H5P_DEFAULT);
    const hsize_t size = 3;
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    H5Dclose(H5Dcreate2(job, "layers", H5T_NATIVE_INT32, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Ldelete(job, "latency", H5P_DEFAULT);
    const hsize_t huge[2] = {hsize_t{1} << 40, hsize_t{1} << 20};
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {64, 64};
    H5Pset_chunk(plist, 2, chunk);
    const hid_t huge_space = H5Screate_simple(2, huge, nullptr);
    H5Dclose(H5Dcreate2(job, "latency", H5T_NATIVE_INT64, huge_space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Sclose(huge_space);
    H5Sclose(space);
    H5Gclose(job);
  });
  const std::vector<std::string> problems = problems_of(path);
  for (const char* expected : {"@status' is missing", "@task' is not a string", "'labels' is a link",
                               "layers' is not a table", "latency' claims 1152921504606846976"}) {
    EXPECT_THAT(problems, testing::Contains(HasSubstr(expected)));
  }
  EXPECT_NE(message_of_reading(path), "no error");
}

TEST(RunFile, VerifySeesAChangedValue) {
  const TemporaryDirectory folder;
  const auto path = written(folder, test::sample_run());
  change(path, [](hid_t file) {
    const hid_t summary = H5Gopen2(file, "jobs/serial/summary", H5P_DEFAULT);
    put_number(summary, "latency_p50_ns", 1);
    H5Gclose(summary);
  });
  EXPECT_THAT(problems_of(path), testing::ElementsAre(HasSubstr("a value has changed")));
}

TEST(RunFile, VerifySeesNumbersThatCannotBe) {
  const TemporaryDirectory folder;
  RunRecord run = test::sample_run();
  run.jobs[0].summary.top1 = 94.5;
  run.jobs[0].latency_ns[3] = -1;
  run.jobs[0].labels.pop_back();
  run.jobs[1].status = Status::interrupted;
  const std::vector<std::string> problems = problems_of(written(folder, run));
  for (const char* expected : {"top1 is not a fraction", "negative time", "differ in length", "interrupted, though"}) {
    EXPECT_THAT(problems, testing::Contains(HasSubstr(expected)));
  }
}

TEST(RunFile, TenThousandSmallJobsAreWrittenAndRead) {
  const TemporaryDirectory folder;
  RunRecord run;
  JobRecord job;  // as of a sweep of many short runs; sample_job has tables of every kind, and takes minutes
  job.task = "infer";
  job.config = "id: grid\nranks: 1\n";
  job.started_wall_ns = 1'795'000'000'000'000'001;
  job.ended_wall_ns = 1'795'000'063'000'000'002;
  job.repeats = 1;
  job.calls = 4;
  job.latency_ns = {4'000'000, 4'100'000, 3'900'000, 4'200'000};
  job.summary.samples = 4;
  job.summary.top1 = 0.75;
#ifdef __SANITIZE_ADDRESS__
  constexpr int kJobs = 1'000;  // ten thousand take minutes under the sanitizer, and show it nothing more
#else
  constexpr int kJobs = 10'000;
#endif
  for (int i = 0; i < kJobs; ++i) {
    job.id = "grid[seed=" + std::to_string(i) + "]";
    run.jobs.push_back(job);
  }
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::to_string(std::chrono::duration<double>(Clock::now() - from).count());
  };
  auto start = Clock::now();
  write_run(folder / "k.h5", run);
  RecordProperty("write_seconds", seconds(start));
  RecordProperty("file_bytes", std::to_string(std::filesystem::file_size(folder / "k.h5")));
  start = Clock::now();
  const RunRecord back = read_run(folder / "k.h5");
  RecordProperty("read_seconds", seconds(start));
  ASSERT_EQ(back.jobs.size(), run.jobs.size());
  EXPECT_EQ(back.jobs.front(), run.jobs.front());
  EXPECT_EQ(back.jobs.back(), run.jobs.back());
}

}  // namespace
}  // namespace edgelab::results
