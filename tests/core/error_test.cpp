#include <gtest/gtest.h>

#include "core/error.hpp"

namespace edgelab {
namespace {

TEST(Error, SaysWhereWhatGotExpectedAndWhatToDo) {
  const Error error = Error(ErrorKind::usage, "unknown task").at({"jobs/x.yaml", 12, 7}).got("trian").expected("train").hint("did you mean 'train'?");
  EXPECT_STREQ(error.what(), "jobs/x.yaml:12:7: error: unknown task (got trian, expected train); did you mean 'train'?");
}

TEST(Error, LeavesOutWhatItWasNotGiven) {
  EXPECT_STREQ(Error(ErrorKind::data, "too short").what(), "error: too short");
  EXPECT_STREQ(Error(ErrorKind::data, "too short").got("3").what(), "error: too short (got 3)");
  EXPECT_STREQ(Error(ErrorKind::data, "too short").expected("4").what(), "error: too short (expected 4)");
  EXPECT_STREQ(Error(ErrorKind::data, "too short").at({"a.bin"}).hint("fetch it again").what(), "a.bin: error: too short; fetch it again");
  EXPECT_STREQ(Error(ErrorKind::data, "too short").at({"a.bin", 3}).what(), "a.bin:3: error: too short");
}

TEST(Error, SaysTheSameInWhateverOrderItIsBuilt) {
  const Error one = Error(ErrorKind::data, "x").got("a").at({"f"}).expected("b");
  const Error other = Error(ErrorKind::data, "x").expected("b").got("a").at({"f"});
  EXPECT_STREQ(one.what(), other.what());
}

TEST(Error, HasTheExitCodeOfItsKind) {
  EXPECT_EQ(exit_code_of(ErrorKind::data), 1);
  EXPECT_EQ(exit_code_of(ErrorKind::usage), 2);
  EXPECT_EQ(exit_code_of(ErrorKind::environment), 3);
}

TEST(NearestName, FindsSlipsOfTheHand) {
  const std::vector<std::string> names = {"evaluate", "train", "infer", "quantize", "prune"};
  EXPECT_EQ(nearest_name("trian", names), "train");
  EXPECT_EQ(nearest_name("evalute", names), "evaluate");
  EXPECT_EQ(nearest_name("quantise", names), "quantize");
  EXPECT_EQ(nearest_name("infer", names), "infer");
}

TEST(NearestName, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("zzzzzzzz", {"evaluate", "train"}), "");
  EXPECT_EQ(nearest_name("train", {}), "");
}

}  // namespace
}  // namespace edgelab
