#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "results/json/encoding.hpp"
#include "results/json/record_json.hpp"
#include "results/sample_run.hpp"

namespace edgelab::results {
namespace {

TEST(RecordJson, AJobComesBackEqualFromTextAndFromBytes) {
  const JobRecord job = test::sample_job("größe/1");
  EXPECT_EQ(job_record_from_json_text(to_json_text(job)), job);
  EXPECT_EQ(job_record_from_bytes(to_bytes(job)), job);
  EXPECT_EQ(job_record_from_json_text(to_json_text(JobRecord{})), JobRecord{});
}

TEST(RecordJson, ARunsFrameComesBackEqualWithoutItsJobs) {
  RunRecord run = test::sample_run();
  const RunRecord frame = frame_from_json_text(frame_json_text(run));
  run.jobs.clear();
  EXPECT_EQ(frame, run);
}

TEST(RecordJson, EveryBitOfAFloatSurvives) {
  JobRecord job;
  job.classes = 3;
  job.logits = {0.1f,
                std::numeric_limits<float>::denorm_min(),
                -0.0f,
                std::numeric_limits<float>::max(),
                std::nanf("0x123"),
                -std::numeric_limits<float>::infinity()};
  job.summary.loss = 0.1 + 0.2;
  for (const JobRecord& back : {job_record_from_json_text(to_json_text(job)), job_record_from_bytes(to_bytes(job))}) {
    ASSERT_EQ(back.logits.size(), job.logits.size());
    EXPECT_EQ(std::memcmp(back.logits.data(), job.logits.data(), job.logits.size() * sizeof(float)), 0);
    EXPECT_EQ(*back.summary.loss, 0.1 + 0.2);
  }
}

TEST(RecordJson, NumbersThatJsonLacksSurviveInTheJournalAndAreNullForMachines) {
  JobRecord job;
  job.id = "a";
  job.telemetry.push_back(
      {1, 0, std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 0, 0});
  const JobRecord back = job_record_from_json_text(to_json_text(job));
  EXPECT_TRUE(std::isnan(back.telemetry[0].frequency_hz));
  EXPECT_EQ(back.telemetry[0].temperature_celsius, std::numeric_limits<double>::infinity());
  EXPECT_EQ(back.telemetry[0].power_watt, -std::numeric_limits<double>::infinity());
  RunRecord run;
  run.jobs.push_back(job);
  EXPECT_TRUE(shown_json(run)["jobs"]["a"]["telemetry"][0]["frequency_hz"].is_null());
}

TEST(RecordJson, WhatIsUnknownIsAbsent) {
  const auto json = nlohmann::json::parse(to_json_text(test::sample_job("a")));
  EXPECT_FALSE(json["summary"].contains("energy_joules"));
  EXPECT_TRUE(json["summary"].contains("top1"));
}

TEST(RecordJson, MalformedBytesAreAnErrorAndNeverACrash) {
  const std::vector<std::uint8_t> whole = to_bytes(test::sample_job("a", 4));
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    EXPECT_THROW(job_record_from_bytes({whole.data(), length}), Error) << length;
  }
  EXPECT_THROW(job_record_from_json_text("[1]"), Error);
  EXPECT_THROW(job_record_from_json_text("{\"id\":5,\"task\":\"\",\"status\":\"done\",\"attempts\":1}"), Error);
  EXPECT_THROW(job_record_from_json_text("{\"id\":\"a\",\"task\":\"\",\"status\":\"gone\",\"attempts\":1}"), Error);
  EXPECT_THROW(job_record_from_json_text("{\"id\":\"a\",\"task\":\"\",\"status\":\"done\",\"attempts\":1e300}"), Error);
  const std::string head = "{\"id\":\"a\",\"task\":\"\",\"status\":\"done\",\"attempts\":1,";
  EXPECT_THROW(job_record_from_json_text(head + "\"latency\":{\"extents\":[2,3],\"data\":[1,2,3]}}"), Error);
  EXPECT_THROW(job_record_from_json_text(head + "\"latency\":{\"extents\":[4611686018427387904,4],\"data\":[]}}"),
               Error);
  EXPECT_THROW(job_record_from_json_text(head + "\"latency\":{\"extents\":[-1,-3],\"data\":[1,2,3]}}"), Error);
  EXPECT_THROW(job_record_from_json_text(head + "\"logits\":{\"extents\":[1,1],\"data\":\"AAAA\"}}"), Error);
  EXPECT_THROW(job_record_from_json_text(head + "\"logits\":{\"extents\":[1,1],\"data\":\"AA*=\"}}"), Error);
}

TEST(RecordJson, AnIntegerOfAListThatIsNoneOfItsTypeIsAnError) {
  const auto with = [](const std::string& array) { return R"({"id":"a","task":"","status":"done","attempts":1,)" + array + "}"; };
  EXPECT_NO_THROW(job_record_from_json_text(with(R"("latency":{"extents":[1,2],"data":[1,2]},"predictions":{"extents":[1],"data":[2147483647]})")));
  for (const char* number : {"88888888888888888888888888888888884257434", "1.5", "9223372036854775808", "\"1\""}) {
    EXPECT_THROW(job_record_from_json_text(with(std::string(R"("latency":{"extents":[1,2],"data":[1,)") + number + "]}")), Error) << number;
  }
  EXPECT_THROW(job_record_from_json_text(with(R"("latency":{"extents":[1e300,2],"data":[1,2]})")), Error);
  EXPECT_THROW(job_record_from_json_text(with(R"("predictions":{"extents":[1],"data":[2147483648]})")), Error);
}

TEST(RecordJson, ShownJsonHasTheFixedForm) {
  const auto json = shown_json(test::sample_run());
  EXPECT_EQ(json["schema"], "edgelab/1");
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["provenance"]["git_commit"], "0123456789abcdef");
  const auto& job = json["jobs"]["serial"];
  EXPECT_EQ(job["task"], "infer");
  EXPECT_EQ(job["status"], "done");
  EXPECT_EQ(job["attempts"], 2);
  EXPECT_EQ(job["summary"]["top1"], 0.9453125);
  EXPECT_EQ(job["layers"].size(), 20u);
  EXPECT_EQ(job["layers"][0]["requested_dtype"], "int8");
  EXPECT_EQ(job["expectations"][0]["met"], true);
  EXPECT_EQ(job["expectations"][1]["bound"], 2.0);
  EXPECT_FALSE(job.contains("latency"));
  EXPECT_TRUE(json["jobs"].contains("after/pruned"));
  EXPECT_EQ(json["jobs"]["pruned"]["status"], "failed");
}

TEST(Base64, GivesBackEveryLengthAndRefusesAnythingElse) {
  std::vector<std::byte> bytes;
  for (int length = 0; length < 70; ++length) {
    EXPECT_EQ(from_base64(base64_of(bytes)), bytes);
    bytes.push_back(static_cast<std::byte>(37 * length + 11));
  }
  EXPECT_EQ(base64_of(std::as_bytes(std::span("foobar", 4))), "Zm9vYg==");
  for (const char* bad : {"A", "AAA", "A===", "====", "AA=A", "AAA\n", "AA AA"})
    EXPECT_THROW(from_base64(bad), Error) << bad;
}

TEST(RecordJson, TheExportHasEveryArrayAsListsAndNullForWhatIsNoNumber) {
  const auto json = exported_json(test::sample_run());
  const auto& job = json["jobs"]["serial"];
  const JobRecord record = test::sample_job("serial");
  EXPECT_EQ(json["schema"], "edgelab/1");
  EXPECT_EQ(job["latency"].size(), 2u);
  EXPECT_EQ(job["latency"][1][63], record.latency_ns.back());
  EXPECT_TRUE(job["logits"][0][0].is_null());  // infinite
  EXPECT_FLOAT_EQ(job["logits"][0][1].get<float>(), record.logits[1]);
  EXPECT_EQ(job["mistakes"]["8"]["picture"][1][2], nlohmann::ordered_json::parse("[3, 2, 1]"));
  EXPECT_EQ(job["predictions"].size(), record.predictions.size());
  EXPECT_EQ(json["links"]["latency_ns"][0][1], 1000.5);
}

}  // namespace
}  // namespace edgelab::results
