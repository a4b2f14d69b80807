// The commands that look but don't run: what they print for machines.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/run_program.hpp"

namespace edgelab {
namespace {

using nlohmann::json;

json output_of(const std::string& arguments) {
  const test::ProgramResult result = test::run_program(EDGELAB_BINARY " " + arguments);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const json parsed = json::parse(result.output, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << result.output;
  return parsed;
}

TEST(Commands, PlanForecastsEveryJobOfTheDemoWithoutRunningIt) {
  const json plan = output_of("plan " EDGELAB_SOURCE_DIR "/jobs/demo.yaml --json");
  EXPECT_EQ(plan["jobs"].size(), 8u);
  const json& split = plan["jobs"]["accuracy-two-ranks"];
  EXPECT_EQ(split["ranks"], 2);
  EXPECT_EQ(split["samples"], 1000);
  EXPECT_EQ(split["needs"], json::array({"train-mobilenet", "accuracy"}));
  EXPECT_EQ(split["wire_bytes"], 500 * (10 * 4 + 4));  // the second rank's answers
  EXPECT_GT(split["predicted_latency_ns"], 0);
  EXPECT_NE(split["layout"].get<std::string>().find("2 ranks"), std::string::npos);
  EXPECT_EQ(plan["jobs"]["train-mobilenet"]["calls"], 12 * 200);  // steps
}

TEST(Commands, PlanRefusesWhatAHostsMemoryDoesNotHold) {
  const std::string plan = EDGELAB_BINARY " plan " EDGELAB_SOURCE_DIR "/jobs/demo.yaml --only speed --memory ";
  const test::ProgramResult refused = test::run_program(plan + "0.001");
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.errors.find("speed[batch=16]: "), std::string::npos) << refused.errors;
  EXPECT_NE(refused.errors.find("0.001 GB at most"), std::string::npos) << refused.errors;
  EXPECT_EQ(test::run_program(plan + "1").exit_code, 0);
}

TEST(Commands, ModelInfoCountsParametersAsTheFieldDoes) {
  EXPECT_EQ(output_of("model info mobilenet_v2 --json")["parameters"], 3504872);
  EXPECT_EQ(output_of("model info deit_tiny_patch16_224 --json")["parameters"], 5717416);
}

TEST(Commands, DataInfoDescribesADrawnDataSet) {
  const json info = output_of("data info shapes10 --json");
  EXPECT_EQ(info["class_names"].size(), 10u) << info.dump();
  EXPECT_EQ(info["splits"][1]["samples"], 1000) << info.dump();
}

TEST(Commands, AResultsFileKnowsTheVersionThatTheBinaryTells) {
  const test::ProgramResult version = test::run_program(EDGELAB_BINARY " --version");
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.output.substr(0, 2), "0.");
}

}  // namespace
}  // namespace edgelab
