#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "batch/job_file/sections.hpp"
#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

const std::string kSource = EDGELAB_SOURCE_DIR;

std::string contents(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST(JobFileReference, TheTablesOfTheDocumentAreTheOnesTheParserUses) {
  const std::string document = contents(kSource + "/docs/jobs.md");
  const std::string begin = "<!-- keys: made by `edgelab schema --markdown` -->\n", end = "<!-- end of keys -->";
  const std::size_t from = document.find(begin), to = document.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(document.substr(from + begin.size(), to - from - begin.size()), "\n" + key_reference() + "\n")
      << "docs/jobs.md is behind the code: put the output of `edgelab schema --markdown` between its two marks";
}

TEST(JobFileReference, TheExamplesOfTheDocumentAreJobFilesThatLoad) {
  const test::Folder folder;
  const std::string document = contents(kSource + "/docs/jobs.md");
  int examples = 0;
  for (std::size_t at = document.find("```yaml\n"); at != std::string::npos; at = document.find("```yaml\n", at + 1)) {
    const std::size_t from = at + 8, to = document.find("```", from);
    EXPECT_EQ(folder.errors(document.substr(from, to - from)), "") << document.substr(from, to - from);
    ++examples;
  }
  EXPECT_GE(examples, 3);
}

TEST(JobFileSchema, KnowsEveryKeyOfTheTables) {
  const auto schema = nlohmann::json::parse(json_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  for (const Section* section : all_sections()) {
    std::string name = section->name.substr(0, section->name.find(','));
    std::replace(name.begin(), name.end(), ' ', '_');
    const nlohmann::json& of = section == &file_section() ? schema : schema["$defs"][name];
    EXPECT_EQ(of["additionalProperties"], false) << name;
    EXPECT_EQ(of["properties"].size(), section->keys.size()) << name;
    for (const Key& key : section->keys) EXPECT_TRUE(of["properties"].contains(key.name)) << name << '.' << key.name;
  }
  EXPECT_EQ(schema["$defs"]["a_job"]["properties"]["ranks"]["default"], 1);
  EXPECT_TRUE(schema["$defs"]["matrix"]["properties"].contains("quantize.weights"));
}

TEST(JobFileSchema, EveryReferenceHasItsDefinition) {
  const std::string text = json_schema();
  const auto schema = nlohmann::json::parse(text);
  int references = 0;
  const std::string mark = "\"#/$defs/";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::size_t from = at + mark.size();
    EXPECT_TRUE(schema["$defs"].contains(text.substr(from, text.find('"', from) - from)));
    ++references;
  }
  EXPECT_GT(references, 20);
}

TEST(JobFileExamples, TheDemoNeedsNothingThatIsNotInTheCheckout) {
  const Batch batch = load_batch({kSource + "/jobs/demo.yaml"});
  EXPECT_EQ(batch.name, "demo");
  EXPECT_THAT(test::ids_of(batch),
              ::testing::IsSupersetOf({"train-mobilenet", "train-vit", "latency", "accuracy", "accuracy-two-ranks"}));
  for (const tasks::JobSpec& job : batch.jobs) {
    EXPECT_TRUE(job.model.weights.path.empty()) << job.id << ": weights are drawn, or trained by another job";
    EXPECT_LE(job.ranks, 2) << job.id;
    EXPECT_TRUE(job.data.dataset == "shapes10") << job.id;
  }
}

TEST(JobFileExamples, TheLabsLoadWithTheModelsAtHand) {
  const Batch lab4 = load_batch({kSource + "/jobs/lab4_deit_edge.yaml"});
  EXPECT_EQ(lab4.jobs[0].data.interpolation, tasks::Interpolation::bicubic);
  if (!std::getenv("EDGELAB_MODELS")) GTEST_SKIP() << "EDGELAB_MODELS is not set: lab 1 needs the trained weights";
  const Batch lab1 = load_batch({kSource + "/jobs/lab1_mobilenet_edge.yaml"});
  EXPECT_EQ(lab1.jobs[0].id, "accuracy");
  EXPECT_TRUE(lab1.jobs[0].keep_logits);
}

}  // namespace
}  // namespace edgelab::batch
