#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "results/schema/markdown.hpp"
#include "results/schema/schema.hpp"
#include "results/schema/text.hpp"

namespace edgelab::results {
namespace {

TEST(Schema, TheDocumentInResultsIsTheOneTheCodeMakes) {
  std::ifstream file(EDGELAB_SOURCE_DIR "/results/schema.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), schema_markdown()) << "run: build/edgelab results schema > results/schema.md";
}

TEST(Schema, TimesEndInNanosecondsAndUnitsAreNamed) {
  const auto check = [](const auto& fields) {
    for (const auto& field : fields) {
      const std::string name = field.name;
      EXPECT_EQ(name.ends_with("_ns"), std::string(field.units) == "ns") << name;
      EXPECT_EQ(name == "bytes" || name.ends_with("_bytes") || name.starts_with("bytes_"),
                std::string(field.units) == "byte")
          << name;
      EXPECT_STRNE(field.description, "") << name;
    }
  };
  check(Schema<JobRecord>::fields);
  check(Schema<Summary>::fields);
  check(Schema<LayerRow>::fields);
  check(Schema<RankRow>::fields);
  check(Schema<HostRecord>::fields);
  check(Schema<TelemetryRow>::fields);
}

TEST(Schema, AnUnknownStatusIsAnError) {
  EXPECT_EQ(status_of("interrupted"), Status::interrupted);
  EXPECT_THROW(status_of("finished"), Error);
}

TEST(LinkName, KeepsOrdinaryIdsAndEscapesAwkwardOnes) {
  EXPECT_EQ(link_name_of("grid[precision=int8,attention=flash]"), "grid[precision=int8,attention=flash]");
  EXPECT_EQ(link_name_of("größe"), "größe");
  EXPECT_EQ(link_name_of("a/b"), "a%2Fb");
  EXPECT_EQ(link_name_of("a%2Fb"), "a%252Fb");
  EXPECT_EQ(link_name_of("."), "%2E");
  EXPECT_EQ(link_name_of("v1.5"), "v1.5");
  EXPECT_EQ(link_name_of("a\tb\x7F"), "a%09b%7F");
  EXPECT_EQ(link_name_of(""), "%");
}

TEST(CleanUtf8, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(clean_utf8("größe ✓ 😀"), "größe ✓ 😀");
  EXPECT_EQ(clean_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(clean_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong '/'
  EXPECT_EQ(clean_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(clean_utf8("\xE2\x9C"), "\uFFFD\uFFFD");            // cut short
  EXPECT_EQ(clean_utf8(std::string_view("a\0b", 3)), "a\uFFFDb");
}

}  // namespace
}  // namespace edgelab::results
