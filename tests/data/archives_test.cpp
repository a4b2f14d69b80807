#include "data/archives.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/expect_error.hpp"
#include "data/sample_files.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

using test::message_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal_of(const std::string& yaml) {
  return message_of(ErrorKind::usage, [&] { parse_archives(yaml, "d.yaml"); });
}

const std::string kMd5(32, 'a');

TEST(Archives, KnowTheOfficialCifarArchives) {
  const ArchiveEntry ten = archive_of("cifar10", {});
  EXPECT_EQ(ten.url, "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
  EXPECT_EQ(ten.md5, "c32a1d4ab5d03f1284b67883e8d87530");
  const ArchiveEntry hundred = archive_of("cifar100", {});
  EXPECT_EQ(hundred.url, "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz");
  EXPECT_EQ(hundred.md5, "03b5dce01913d631647c71ecec9e9cb8");
}

TEST(Archives, ComeFromTheFileGiven) {
  const edgelab::test::TemporaryDirectory folder;
  test::write_text(folder / "d.yaml",
                   "datasets:\n  cifar10: {url: http://host/x, sha256: " + std::string(64, 'B') + "}\n");
  EXPECT_EQ(archive_of("cifar10", folder / "d.yaml").sha256, std::string(64, 'b'));
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { archive_of("cifar100", folder / "d.yaml"); }),
              HasSubstr("'cifar100'"));
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { archive_of("cifar10", folder / "none.yaml"); }),
              HasSubstr("none.yaml"));
}

TEST(Archives, RefuseWhatIsWrongWithItsPlace) {
  EXPECT_THAT(refusal_of("datasets:\n  x:\n    url: http://h/x\n    md: " + kMd5),
              AllOf(StartsWith("d.yaml:4:5: error"), HasSubstr("did you mean 'md5'?")));
  EXPECT_THAT(refusal_of("datasets:\n  x: {url: http://h/x, md5: abc}"),
              AllOf(StartsWith("d.yaml:2:"), HasSubstr("32 hexadecimal digits")));
  EXPECT_THAT(refusal_of("datasets:\n  x: {url: http://h/x}"), HasSubstr("no checksum"));
  EXPECT_THAT(refusal_of("datasets:\n  x: {url: file:///etc/passwd, md5: " + kMd5 + "}"), HasSubstr("https://"));
  EXPECT_THAT(refusal_of("datasets:\n  x: {md5: " + kMd5 + "}"), HasSubstr("needs a url"));
  EXPECT_THAT(refusal_of("datasets:\n  x: {url: [1], md5: " + kMd5 + "}"), HasSubstr("must be a text"));
  EXPECT_THAT(refusal_of("datasets:\n  x: http://h/x"), HasSubstr("must be a map"));
  EXPECT_THAT(refusal_of("datasets: [1]"), HasSubstr("'datasets'"));
  EXPECT_THAT(refusal_of("datasets: {}\nmore: 1"), HasSubstr("'datasets'"));
  EXPECT_THAT(refusal_of(""), HasSubstr("'datasets'"));
  EXPECT_THAT(refusal_of("datasets: {x: ["), HasSubstr("not YAML"));
}

}  // namespace
}  // namespace edgelab::data
