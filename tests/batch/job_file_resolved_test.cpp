#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "batch/job_file/sections.hpp"
#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using test::kDefaults;

void expect_round_trip(const tasks::JobSpec& job) {
  tasks::JobSpec again = parse_resolved_job(job.resolved);
  again.place = job.place;
  EXPECT_EQ(again, job) << job.resolved;
}

// A random value of a type, as YAML; "" where none is made (keys that name files or other jobs).
class RandomYaml {
 public:
  explicit RandomYaml(unsigned seed) : random_(seed) {}

  std::string value(const Type& type) {
    switch (type.kind) {
      case Type::Kind::boolean: return pick({"true", "false", "yes", "off"});
      case Type::Kind::integer:
        return std::to_string(static_cast<long long>(type.low) +
                              static_cast<long long>(below(
                                  type.high - type.low > 50 ? 50 : static_cast<unsigned>(type.high - type.low) + 1)));
      case Type::Kind::number:
        return std::to_string(type.low + (std::min(type.high, 100.0) - type.low) * (1 + below(998)) / 1000.0);
      case Type::Kind::text:
        return type.pattern.empty() ? pick({"word", "'two words'", "\"yes\"", "7", "\"it's \\\"so\\\"\"", "ü"}) : "";
      case Type::Kind::path: return pick({"a/b.safetensors", "/x", "'with space'"});
      case Type::Kind::weights_file: return "random";
      case Type::Kind::choice: return type.choices[below(static_cast<unsigned>(type.choices.size()))];
      case Type::Kind::duration:
        return std::to_string(1 + below(999)) + pick({"ns", "us", "ms", "s", "m", "h", ".25s"});
      case Type::Kind::bytes: return std::to_string(1 + below(999)) + pick({"", "B", "KB", "MiB", "GB"});
      case Type::Kind::list: return list(type);
      case Type::Kind::map: return map(type.section());
      case Type::Kind::any_of: return value(type.parts[below(static_cast<unsigned>(type.parts.size()))]);
      default: return "";
    }
  }

  std::string map(const Section& section) {
    std::string text;
    std::size_t group = section.alternatives.empty() ? 0 : below(static_cast<unsigned>(section.alternatives.size()));
    for (const Key& key : section.keys) {
      if (below(3) == 0 || rival(section, key.name, group)) continue;
      const std::string made = value(key.type);
      if (!made.empty()) text += (text.empty() ? "" : ", ") + key.name + ": " + made;
    }
    return text.empty() ? "" : "{" + text + "}";
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  std::string pick(const std::vector<std::string>& from) { return from[below(static_cast<unsigned>(from.size()))]; }

  std::string list(const Type& type) {
    std::string text;
    for (unsigned i = 0; i < 1 + below(3); ++i) {
      const std::string made = value(type.parts[0]);
      if (!made.empty()) text += (text.empty() ? "" : ", ") + made;
    }
    return text.empty() ? "" : "[" + text + "]";
  }

  static bool rival(const Section& section, const std::string& key, std::size_t group) {
    for (std::size_t other = 0; other < section.alternatives.size(); ++other) {
      const auto& keys = section.alternatives[other];
      if (other != group && std::find(keys.begin(), keys.end(), key) != keys.end()) return true;
    }
    return false;
  }

  std::mt19937 random_;
};

TEST(ResolvedJob, OfRandomJobsParsesToTheSameJob) {
  const Folder folder;
  RandomYaml random(3);
  int loaded = 0;
  for (int i = 0; i < 600; ++i) {
    std::string keys;
    for (const Key& key : defaults_section().keys) {
      // Keys that must agree with others are tried by name elsewhere.
      if (key.name == "parallel" || key.name == "expect" || key.name == "task" || key.name == "scenario") continue;
      const std::string made = random.value(key.type);
      if (!made.empty()) keys += ", " + key.name + ": " + made;
    }
    const std::string text = "defaults: {model: {arch: mobilenet_v2}, data: {dataset: shapes10}}\njobs: [{id: 'job " + std::to_string(i) + "', task: prune" + keys + "}]\n";
    ASSERT_EQ(folder.errors(text), "") << text;
    expect_round_trip(folder.load(text).jobs.at(0));
    ++loaded;
  }
  EXPECT_EQ(loaded, 600);
}

const std::string kRich =
    kDefaults +
    "jobs:\n  - id: a\n  - id: s[1]\n    ranks: 4\n    needs: [a]\n    parallel: {pipeline: 2, tensor: 2, partition: "
    "[3, 4]}\n"
    "    expect: [{outputs_match: {job: a, rtol: 1e-5}}, {speedup_over: {job: a, at_least: 1.25}}, "
    "{latency_speedup_over: {job: a, at_least: 0}}, {layer_speedup_over: {job: a, at_least: 1}}, {top1_at_least: .5},\n"
    "             {top1_drop_at_most: {job: a, points: 1.5}}, {latency_p50_at_most: 1.5ms}, {model_bytes_at_most: "
    "3.5MB}]\n"
    "  - id: 'g: \"x\" ü'\n    needs: a\n    matrix: {train.trainable: [all, 'last:3', {lora: {rank: 2, targets: [q, "
    "v]}}], checkpoint.every: [3 epochs, 10 steps, 90s]}\n"
    "  - id: t\n    train: {schedule: {name: step, step_epochs: [1, 2.5]}, ema: 0.99, reset: 'last:2', early_stopping: "
    "{patience: 3}, validate: {limit: 9}, clip_norm: 1}\n    checkpoint: {keep: 4}\n"
    "    scenario: {kind: server, latency_bound: 15ms, rate: 12.5, min_queries: 9, min_duration: 2s}\n"
    "  - id: w\n    scenario: multi_stream\n    needs: [a]\n    model: {weights: {job: a}}\n    parallel: {strategy: pipeline, partition: auto}\n";

TEST(ResolvedJob, OfEveryKindOfKeyParsesToTheSameJob) {
  const Batch batch = Folder().load(kRich);
  ASSERT_EQ(batch.jobs.size(), 13u);
  for (const tasks::JobSpec& job : batch.jobs) expect_round_trip(job);
}

TEST(ResolvedFile, IsAJobFileThatGivesTheSameJobs) {
  const Folder folder;
  const Batch batch = folder.load(kRich);
  Batch again = load_batch({folder.write("resolved.yaml", batch.resolved)});
  ASSERT_EQ(again.jobs.size(), batch.jobs.size());
  for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
    again.jobs[i].place = batch.jobs[i].place;
    EXPECT_EQ(again.jobs[i], batch.jobs[i]) << batch.resolved;
  }
  EXPECT_EQ(again.name, batch.name);
  EXPECT_EQ(again.resolved, batch.resolved);
}

TEST(ResolvedJob, HoldsTheDefaultsOfTheReferenceAndDependsOnWhatIsSaidNotHow) {
  const Folder folder;
  const std::string one = folder
                              .load(
                                  "jobs: [{id: a, task: bench, model: {arch: mobilenet_v2}, time_limit: 60s, train: "
                                  "{optimizer: {lr: 1e-3}}}]\n")
                              .jobs[0]
                              .resolved;
  const std::string two = folder
                              .load(
                                  "# the same\nname: other\ndefaults:\n  time_limit: 1m\njobs:\n- train: {optimizer: "
                                  "{lr: 0.001}}\n  model: {arch: mobilenet_v2}\n  task: bench\n  id: a\n")
                              .jobs[0]
                              .resolved;
  EXPECT_EQ(one, two);
  const auto json = nlohmann::json::parse(one);
  EXPECT_EQ(json["ranks"], 1);
  EXPECT_EQ(json["batch"], 1);
  EXPECT_EQ(json["precision"], "fp32");
  EXPECT_EQ(json["device"], nlohmann::json::array({"cpu"}));
  EXPECT_EQ(json["seed"], 0);
  EXPECT_EQ(json["attention"], "auto");
  EXPECT_EQ(json["measure"], (nlohmann::json{{"warmup", 1}, {"repeats", 5}}));
  EXPECT_EQ(json["data"]["interpolation"], "bilinear");
  EXPECT_EQ(json["model"]["weights"], "random");
  EXPECT_EQ(json["time_limit"], "1m");
}

TEST(ResolvedJob, ThatIsNoneIsRefused) {
  for (const char* text :
       {"", "{", "[]", "7", "{\"id\": 3}", "{\"id\":\"a\",\"tusk\":\"bench\"}", "{\"id\":\"a\",\"task\":\"bench\"}"}) {
    EXPECT_THROW(parse_resolved_job(text), JobFileErrors) << text;
  }
  EXPECT_THROW(parse_resolved_job(std::string(100'000, '[')), JobFileErrors);
}

}  // namespace
}  // namespace edgelab::batch
