#include "batch/content_key.hpp"

#include <gtest/gtest.h>

namespace edgelab::batch {
namespace {

const ContentParts kJob{"{\"id\": \"a\"}", {{"weights", "11"}}, "22", {"33"}};

TEST(ContentKey, IsTheSameForTheSameJob) { EXPECT_EQ(content_key(kJob), content_key(ContentParts(kJob))); }

TEST(ContentKey, ChangesWithEveryPart) {
  ContentParts other = kJob;
  other.resolved = "{\"id\": \"b\"}";
  EXPECT_NE(content_key(other), content_key(kJob));
  other = kJob;
  other.inputs[0].second = "12";
  EXPECT_NE(content_key(other), content_key(kJob));
  other = kJob;
  other.binary = "23";
  EXPECT_NE(content_key(other), content_key(kJob));
  other = kJob;
  other.needs[0] = "34";
  EXPECT_NE(content_key(other), content_key(kJob));
}

TEST(ContentKey, PartsDoNotRunIntoEachOther) {
  EXPECT_NE(content_key({"ab", {}, "c", {}}), content_key({"a", {}, "bc", {}}));
  EXPECT_NE(content_key({"a", {}, "b", {"cd"}}), content_key({"a", {}, "b", {"c", "d"}}));
}

}  // namespace
}  // namespace edgelab::batch
